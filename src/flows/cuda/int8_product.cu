// int8 products with their scales, for sizes and devices that the tuned kernel (int8_product_sm90.cu) does not take.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "flows/cuda/check.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/int8_device.h"

namespace nongemm::cuda {
namespace {

constexpr int kProductTile = 64;   // rows and columns of the result that a block computes
constexpr int kProductDepth = 32;  // bytes of the inner dimension in one step
constexpr int kWords = kProductDepth / 4;
constexpr int kProductThreads = 256;  // 16 x 16, each with 4 x 4 results
constexpr int kEach = 4;

/// kProductTile rows of `matrix`, kProductDepth bytes of each from `at` on; zeros outside. Words of a row lie
/// kProductTile + 1 apart, so that neither side meets its own banks.
__device__ void load_tile(const std::int8_t* matrix, std::int64_t rows, std::int64_t inner, std::int64_t first,
                          std::int64_t at, std::int32_t (*tile)[kProductTile + 1]) {
  for (int i = threadIdx.x; i < kProductTile * kWords; i += kProductThreads) {
    const std::int64_t row = first + i / kWords;
    const std::int64_t byte = at + 4 * (i % kWords);
    std::uint32_t word = 0;
    if (row < rows) {
      const std::int8_t* place = matrix + row * inner + byte;
      if (inner % 4 == 0 && byte + 4 <= inner) {
        word = *reinterpret_cast<const std::uint32_t*>(place);
      } else {
        for (int b = 0; b < 4; ++b) {
          if (byte + b < inner) word |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(place[b])) << (8 * b);
        }
      }
    }
    tile[i % kWords][i / kWords] = static_cast<std::int32_t>(word);
  }
}

template <typename T>
__device__ float scaled(const Int8Product& p, std::int64_t row, std::int64_t column, std::int32_t sum) {
  const float value = static_cast<float>(sum) * (p.row_scales[row] * p.weight_scales[column]) * kPerStepSquared;
  return p.bias != nullptr ? value + as_float(static_cast<const T*>(p.bias)[column]) : value;
}

/// From the copies, and for more outlier columns than those hold, from the sums that are there.
template <typename T>
__device__ float outlier_sum(const Int8Product& p, std::int64_t row, std::int64_t column, int outliers) {
  float sum = 0.0f;
  const T* copies = static_cast<const T*>(p.gathered) + row * kGatheredOutliers;
  const T* weights = static_cast<const T*>(p.gathered_weight) + column * kGatheredOutliers;
  for (int j = 0; j < min(outliers, kGatheredOutliers); ++j) sum = fmaf(as_float(copies[j]), as_float(weights[j]), sum);
  if (outliers > kGatheredOutliers) sum += p.further[row * device::in_whole_tiles(p.columns) + column];
  return sum;
}

template <typename T>
__global__ void __launch_bounds__(kProductThreads) product_of_any_size(Int8Product p) {
  __shared__ std::int32_t left[kWords][kProductTile + 1];
  __shared__ std::int32_t right[kWords][kProductTile + 1];
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * kProductTile;
  const std::int64_t first_column = static_cast<std::int64_t>(blockIdx.x) * kProductTile;
  const int x = threadIdx.x % 16;
  const int y = threadIdx.x / 16;
  std::int32_t sums[kEach][kEach] = {};
  for (std::int64_t at = 0; at < p.inner; at += kProductDepth) {
    load_tile(p.values, p.rows, p.inner, first_row, at, left);
    load_tile(p.weight, p.columns, p.inner, first_column, at, right);
    __syncthreads();
    for (int w = 0; w < kWords; ++w) {
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
#pragma unroll
        for (int j = 0; j < kEach; ++j) sums[i][j] = __dp4a(left[w][y + 16 * i], right[w][x + 16 * j], sums[i][j]);
      }
    }
    __syncthreads();
  }
  const int outliers = p.outliers != nullptr ? p.outliers[0] : 0;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const std::int64_t row = first_row + y + 16 * i;
    if (row >= p.rows) continue;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const std::int64_t column = first_column + x + 16 * j;
      if (column >= p.columns) continue;
      T& result = static_cast<T*>(p.output)[row * p.columns + column];
      if constexpr (std::is_same_v<T, std::int32_t>) {
        result = sums[i][j];
      } else {
        result = rounded<T>(scaled<T>(p, row, column, sums[i][j]) + outlier_sum<T>(p, row, column, outliers));
      }
    }
  }
}

template <typename T>
__global__ void scale_sums(Int8Product p) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= p.rows * p.columns) return;
  static_cast<T*>(p.output)[i] = rounded<T>(scaled<T>(p, i / p.columns, i % p.columns, p.sums[i]));
}

template <typename T>
__global__ void add_outliers(Int8Product p) {
  const int outliers = p.outliers[0];
  if (outliers == 0) return;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= p.rows * p.columns) return;
  T& result = static_cast<T*>(p.output)[i];
  result = rounded<T>(as_float(result) + outlier_sum<T>(p, i / p.columns, i % p.columns, outliers));
}

unsigned element_blocks(const Int8Product& product) {
  return static_cast<unsigned>((product.rows * product.columns + 255) / 256);
}

}  // namespace

void launch_int8_product(const Int8Product& product, cudaStream_t stream) {
  const auto blocks_of = [](std::int64_t size) {
    return static_cast<unsigned>((size + kProductTile - 1) / kProductTile);
  };
  if (product.rows == 0 || product.columns == 0) return;
  if (blocks_of(product.rows) > 65535) {
    throw Error(ErrorKind::kUnsupported, "an int8 product of more than 4 million rows", "take a smaller batch");
  }
  const dim3 grid(blocks_of(product.columns), blocks_of(product.rows));
  if (product.dtype == DType::kInt32) {
    product_of_any_size<std::int32_t><<<grid, kProductThreads, 0, stream>>>(product);
  } else {
    by_type(product.dtype, [&](auto example) {
      product_of_any_size<decltype(example)><<<grid, kProductThreads, 0, stream>>>(product);
    });
  }
  check(cudaGetLastError(), "an int8 product");
}

void launch_int8_scale(const Int8Product& product, cudaStream_t stream) {
  const unsigned blocks = element_blocks(product);
  if (blocks == 0) return;
  by_type(product.dtype, [&](auto example) { scale_sums<decltype(example)><<<blocks, 256, 0, stream>>>(product); });
  check(cudaGetLastError(), "scaling sums");
}

void launch_add_outliers(const Int8Product& product, cudaStream_t stream) {
  const unsigned blocks = element_blocks(product);
  if (blocks == 0) return;
  by_type(product.dtype, [&](auto example) { add_outliers<decltype(example)><<<blocks, 256, 0, stream>>>(product); });
  check(cudaGetLastError(), "adding outlier columns");
}

}  // namespace nongemm::cuda
