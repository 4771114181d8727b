// Arguments of the kernels of LLM.int8 on the device, in plain C++. All pointers are device memory, matrices row-major
// and dense.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "base/llm_int8.h"

namespace nongemm::device {

/// Copies of outlier columns are filled up with zeros to a multiple of this; columns beyond kGatheredOutliers are
/// multiplied beforehand.
inline constexpr int kGatheredStep = 16;
static_assert(kGatheredOutliers % kGatheredStep == 0);

/// Sums of outlier columns beyond the gathered ones are kept in whole tiles.
inline constexpr std::int64_t kSumTile = 128;
constexpr std::int64_t in_whole_tiles(std::int64_t size) { return (size + kSumTile - 1) / kSumTile * kSumTile; }

/// Rows of activations to int8, outlier columns set aside.
struct Int8Rows {
  const void* input = nullptr;    // [rows, columns] of dtype
  DType dtype = DType::kFloat16;  // or kBFloat16, kFloat32
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  /// A magnitude of at least this is an outlier; 0 for none.
  float threshold = 0;
  std::int8_t* values = nullptr;  // out [rows, columns]
  float* scales = nullptr;        // out [rows]: the largest magnitude of a row that is no outlier
  // Without `flags` entries beyond the threshold become 0 and nothing is set aside: as the original's kernel does it.
  std::uint8_t* flags = nullptr;     // scratch [columns]
  std::int32_t* outliers = nullptr;  // out [1 + columns]: their number, then the columns in rising order
  void* gathered = nullptr;          // out [rows, kGatheredOutliers] of dtype: the first of them, as they were
};

/// values [rows, inner] by weight [columns, inner]: int32 sums times both scales, plus bias, plus the outlier columns'
/// product. `output` takes the sums themselves where the dtype is kInt32; nothing but the factors is read then.
struct Int8Product {
  const std::int8_t* values = nullptr;
  const float* row_scales = nullptr;  // [rows]
  const std::int8_t* weight = nullptr;
  const float* weight_scales = nullptr;  // [columns]
  const void* bias = nullptr;            // [columns] of dtype, or none
  void* output = nullptr;                // [rows, columns] of dtype
  DType dtype = DType::kFloat16;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t inner = 0;
  /// The sums, where they are there already: values and weight serve outliers alone.
  const std::int32_t* sums = nullptr;
  // Outliers as Int8Rows gave them; without any when `outliers` is null.
  const void* input = nullptr;  // [rows, inner] of dtype
  const std::int32_t* outliers = nullptr;
  const void* gathered = nullptr;
  void* gathered_weight = nullptr;  // scratch [columns, kGatheredOutliers] of dtype
  float* further = nullptr;         // scratch [in_whole_tiles(rows), in_whole_tiles(columns)]: of the columns beyond
  std::int32_t* told = nullptr;     // their number, also for the host: memory of its own that the device can write
};

}  // namespace nongemm::device
