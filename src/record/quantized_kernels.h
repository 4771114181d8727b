// What kernels take of quantized products. What one does not take is filled up with zeros or runs in another kernel:
// the flows do it by these rules, and reports tell it by the same.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace nongemm {

/// Values [rows, inner] by a weight [columns, inner].
struct ProductSizes {
  std::int64_t rows = 0;
  std::int64_t inner = 0;
  std::int64_t columns = 0;
};

/// cuBLASLt's int8 product (at::_int_mm) wants more than 16 rows: fewer are filled up with zeros.
inline constexpr std::int64_t kFewestRowsOfCublasLt = 17;

/// cuBLASLt, with as many rows as it wants.
constexpr bool cublaslt_takes_int8(const ProductSizes& sizes) {
  return sizes.rows > 0 && sizes.inner % 8 == 0 && sizes.columns % 8 == 0;
}

/// The program's kernel for devices of compute capability 9.0 (flows/cuda/int8_product_sm90.h).
/// @param dtype of the result
constexpr bool tuned_kernel_takes_int8(const ProductSizes& sizes, DType dtype) {
  const bool half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
  return half && sizes.rows > 0 && sizes.inner % 16 == 0 && sizes.columns % 8 == 0;
}

/// Part of the name of the program's kernel for int8 products of any size and type (flows/cuda/int8_product.cu).
inline constexpr const char* kInt8KernelOfAnySize = "product_of_any_size";
/// Of the kernel that writes both factors in the activations' type, where many columns are outliers
/// (flows/cuda/int8_outliers.cu).
inline constexpr const char* kInt8UnfoldingKernel = "unfold_factors";

/// torch._scaled_mm with e4m3 rows, on a device.
constexpr bool scaled_mm_takes_fp8(const ProductSizes& sizes) {
  return sizes.rows > 0 && sizes.inner > 0 && sizes.inner % 16 == 0 && sizes.columns % 16 == 0;
}

}  // namespace nongemm
