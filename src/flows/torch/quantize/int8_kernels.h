// LLM.int8 on the CPU: the inner loops, on plain memory, by the widest instructions that the processor has. All
// matrices are dense and row-major. Nothing here makes threads: callers hand out rows and columns.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace nongemm::torch_flow {

/// Rows [first, last) of input [rows, columns] of `dtype` (fp16, bf16, fp32), rounded to fp16 as the original does, to
/// int8. A row's scale is its largest magnitude below `threshold` (any with a threshold of 0); entries from there on
/// become 0, and `flags[column]`, where there are flags, is set to 1.
void quantize_rows(DType dtype, const void* input, std::int64_t columns, std::int64_t first, std::int64_t last,
                   float threshold, std::int8_t* values, float* scales, std::uint8_t* flags);

/// sums [rows, last - first]: values [rows, inner] times columns [first, last) of the weight [columns, inner]. Exact.
void int8_products(const std::int8_t* values, std::int64_t rows, const std::int8_t* weight, std::int64_t first,
                   std::int64_t last, std::int64_t inner, std::int32_t* sums);

/// The outlier columns of a product: what `columns` of the input add to a row of the result.
struct OutlierColumns {
  std::int64_t count = 0;
  const float* weight = nullptr;  // [count, out], dequantized
};

/// results[i] = sums[i] * (row_scale * scales[i]) / 127^2 + bias[i] + what the outliers add; bias may be null.
/// @param outlier_values [outliers.count], the row's input in the outlier columns
/// @param stride of outliers.weight from one outlier column to the next
void scale_row(const std::int32_t* sums, std::int64_t count, float row_scale, const float* scales, const float* bias,
               const OutlierColumns& outliers, std::int64_t stride, const float* outlier_values, float* results);

/// What int8_products runs on: "AVX-512 VNNI", "AVX2" or "plain C++".
const char* int8_instructions();

}  // namespace nongemm::torch_flow
