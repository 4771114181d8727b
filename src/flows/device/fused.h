// Arguments of the kernels that stand for several of PyTorch's operators (ops/fused.cpp), in plain C++. All pointers
// are device memory; `dtype` is fp16, bf16 or fp32.
#pragma once

#include <array>
#include <cstdint>

#include "base/dtype.h"

namespace nongemm::device {

/// Norms of rows, of a sum where there is another operand.
struct NormRows {
  const void* input = nullptr;   // [rows, columns]
  const void* other = nullptr;   // the same, or none
  const void* weight = nullptr;  // [columns] of weight_dtype, or none
  const void* bias = nullptr;    // the same, of a layer norm
  void* sum = nullptr;           // out [rows, columns]: input + other, rounded
  void* output = nullptr;        // out [rows, columns]
  DType dtype = DType::kFloat16;
  DType weight_dtype = DType::kFloat16;  // `dtype`, or fp32
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  float epsilon = 0;
  float offset = 0;         // is added to the weight
  bool layer_norm = false;  // else by the root mean square
  bool wide = false;        // the weight is multiplied before the result is rounded
};

/// Rotary position embedding of heads, whose elements lie side by side. Strides in elements.
struct Rotary {
  const void* input = nullptr;
  const void* cosine = nullptr;  // [.., angles] of dtype
  const void* sine = nullptr;
  void* output = nullptr;
  DType dtype = DType::kFloat16;
  std::int64_t width = 0;   // of a head
  std::int64_t angles = 0;  // as many, or half as many
  bool wide = false;        // rounded once, not after each step
  /// The dimensions before a head's, 1 where there are fewer, and the strides of each tensor along them.
  std::array<std::int64_t, 3> sizes = {1, 1, 1};
  std::array<std::int64_t, 3> input_strides = {};
  std::array<std::int64_t, 3> output_strides = {};
  std::array<std::int64_t, 3> cosine_strides = {};
  std::array<std::int64_t, 3> sine_strides = {};
};

/// activation(gate) times another operand, both rounded; rows that may lie apart.
struct GatedActivation {
  enum class Kind : std::uint8_t { kSilu, kGelu, kGeluTanh };
  const void* gate = nullptr;   // [rows, columns], of which a row begins each gate_stride elements
  const void* other = nullptr;  // the same
  void* output = nullptr;       // [rows, columns], dense
  DType dtype = DType::kFloat16;
  Kind kind = Kind::kSilu;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t gate_stride = 0;
  std::int64_t other_stride = 0;
};

}  // namespace nongemm::device
