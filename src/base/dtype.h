// Element types of tensors, as every part of the program names them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nongemm {

enum class DType : std::uint8_t {
  kUndefined,  // not known before the run
  kBool,
  kUInt8,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
};

/// Bytes of one element; 0 for kUndefined.
std::size_t size_of(DType dtype);

/// The name PyTorch uses, without its prefix: "float32", "int64", "bool".
std::string_view name_of(DType dtype);

/// What options and reports call it: "fp32", "bf16", and PyTorch's names of what is no floating-point type.
std::string_view short_name_of(DType dtype);

/// Accepts PyTorch names ("float32"), short names ("fp32", "bf16", "i64") and safetensors names ("F32").
std::optional<DType> parse_dtype(std::string_view text);

bool is_floating(DType dtype);
/// True for bool too: PyTorch counts it as integral.
bool is_integral(DType dtype);

}  // namespace nongemm
