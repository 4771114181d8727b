// Outlier columns of LLM.int8 before their product: copies of the weight's, and where activations have more of them
// than copies are kept for (random weights make every column of a layer one) the sums of the further ones, by the
// tensor cores, or both factors of their product, side by side, where another kernel multiplies those
// (int8_further.h). How many there are only the device knows: one launch does either, and nothing where there are none.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "flows/cuda/check.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/int8_device.h"
#include "flows/cuda/int8_further.h"

namespace nongemm::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kGatheredAtOnce = 8;
constexpr int kGatherColumns = kThreads / kGatheredAtOnce;

constexpr int kTile = static_cast<int>(device::kSumTile);
constexpr int kDepth = 32;          // outlier columns of one step: one for each lane
constexpr int kPitch = kDepth + 8;  // of a row in shared memory: sixteen bytes on, so that rows meet other banks
constexpr int kWarps = kThreads / 32;
constexpr int kRowsEach = kTile / kWarps;  // that a warp fetches
constexpr int kPart = 16;                  // of the tensor cores' shape
constexpr int kPartsDown = 4;              // a warp computes 64 x 32
constexpr int kPartsAlong = 2;

__device__ void tell(const Int8Product& p, int count) {
  if (p.told != nullptr && blockIdx.x == 0 && threadIdx.x == 0) *p.told = count;
}

template <typename T>
__device__ void gather_weight(const Int8Product& p, int count) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kGatherColumns + threadIdx.x / kGatheredAtOnce;
  if (column >= p.columns) return;
  for (int j = threadIdx.x % kGatheredAtOnce; j < filled_copies(count); j += kGatheredAtOnce) {
    float value = 0.0f;
    if (j < count) value = dequantized<T>(p.weight[column * p.inner + p.outliers[1 + j]], p.weight_scales[column]);
    static_cast<T*>(p.gathered_weight)[column * kGatheredOutliers + j] = rounded<T>(value);
  }
}

/// What a warp fetches of one step: lane by lane an outlier column, kRowsEach rows of both factors. All loads are begun
/// before anything is made of the first; beyond the matrices the last row stands in, which nobody reads.
template <typename T>
struct Fetched {
  T left[kRowsEach];
  std::int8_t right[kRowsEach];
  bool there;

  __device__ void fetch(const Int8Product& p, std::int64_t first_row, std::int64_t first_column, int at, int count) {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    there = at < count;
    const int place = there ? __ldg(p.outliers + 1 + at) : 0;
    const std::int64_t row = first_row + warp * kRowsEach;
    const std::int64_t column = first_column + warp * kRowsEach;
    const T* input = static_cast<const T*>(p.input) + place;
    const std::int8_t* weight = p.weight + place;
#pragma unroll
    for (int i = 0; i < kRowsEach; ++i) {
      left[i] = input[min(row + i, p.rows - 1) * p.inner];
      right[i] = weight[min(column + i, p.columns - 1) * p.inner];
    }
  }
  __device__ void keep(T (*rows)[kPitch], T (*columns)[kPitch], const float* scales) const {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const T zero = rounded<T>(0.0f);
#pragma unroll
    for (int i = 0; i < kRowsEach; ++i) {
      const int at = warp * kRowsEach + i;
      rows[at][lane] = there ? left[i] : zero;
      columns[at][lane] = there ? rounded<T>(dequantized<T>(right[i], scales[at])) : zero;
    }
  }
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <typename T>
constexpr bool kByTensorCores = std::is_same_v<T, __half>;
#else
template <typename T>
constexpr bool kByTensorCores = sizeof(T) == 2;
#endif

/// A tile of sums by the tensor cores, in parts that warps hold together.
template <typename T>
struct TensorSums {
  using Left = nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, kPart, kPart, kPart, T, nvcuda::wmma::row_major>;
  using Right = nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, kPart, kPart, kPart, T, nvcuda::wmma::col_major>;
  using Part = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, kPart, kPart, kPart, float>;
  Part parts[kPartsDown][kPartsAlong];
  int row = static_cast<int>(threadIdx.x) / 32 / 4 * (kPartsDown * kPart);
  int column = static_cast<int>(threadIdx.x) / 32 % 4 * (kPartsAlong * kPart);

  __device__ TensorSums() {
    for (auto& line : parts) {
      for (Part& part : line) nvcuda::wmma::fill_fragment(part, 0.0f);
    }
  }
  __device__ void add(const T (*rows)[kPitch], const T (*columns)[kPitch]) {
#pragma unroll
    for (int k = 0; k < kDepth; k += kPart) {
      Right right[kPartsAlong];
#pragma unroll
      for (int j = 0; j < kPartsAlong; ++j) {
        nvcuda::wmma::load_matrix_sync(right[j], &columns[column + j * kPart][k], kPitch);
      }
#pragma unroll
      for (int i = 0; i < kPartsDown; ++i) {
        Left left;
        nvcuda::wmma::load_matrix_sync(left, &rows[row + i * kPart][k], kPitch);
#pragma unroll
        for (int j = 0; j < kPartsAlong; ++j) nvcuda::wmma::mma_sync(parts[i][j], left, right[j], parts[i][j]);
      }
    }
  }
  /// The memory holds whole tiles.
  __device__ void store(float* sums, std::int64_t stride) const {
#pragma unroll
    for (int i = 0; i < kPartsDown; ++i) {
#pragma unroll
      for (int j = 0; j < kPartsAlong; ++j) {
        nvcuda::wmma::store_matrix_sync(sums + (row + i * kPart) * stride + column + j * kPart, parts[i][j],
                                        static_cast<unsigned>(stride), nvcuda::wmma::mem_row_major);
      }
    }
  }
};

/// A tile of sums where there are no tensor cores for the type, every thread its own places.
template <typename T>
struct PlainSums {
  static constexpr int kEach = 8;  // places down and along, sixteen apart
  float parts[kEach][kEach] = {};
  int row = static_cast<int>(threadIdx.x) / 16;
  int column = static_cast<int>(threadIdx.x) % 16;

  __device__ void add(const T (*rows)[kPitch], const T (*columns)[kPitch]) {
    for (int k = 0; k < kDepth; ++k) {
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
#pragma unroll
        for (int j = 0; j < kEach; ++j) {
          parts[i][j] = fmaf(as_float(rows[row + 16 * i][k]), as_float(columns[column + 16 * j][k]), parts[i][j]);
        }
      }
    }
  }
  __device__ void store(float* sums, std::int64_t stride) const {
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
#pragma unroll
      for (int j = 0; j < kEach; ++j) sums[(row + 16 * i) * stride + column + 16 * j] = parts[i][j];
    }
  }
};

/// One tile of the further columns' product; the next step is fetched while one is multiplied.
template <typename T>
__device__ void sum_tile(const Int8Product& p, std::int64_t tile, int count) {
  __shared__ __align__(32) T rows[kTile][kPitch];
  __shared__ __align__(32) T columns[kTile][kPitch];
  __shared__ float scales[kTile];
  const std::int64_t stride = device::in_whole_tiles(p.columns);
  const std::int64_t along = stride / kTile;
  const std::int64_t first_row = tile / along * kTile;
  const std::int64_t first_column = tile % along * kTile;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (threadIdx.x < kTile) {
    scales[threadIdx.x] =
        __ldg(p.weight_scales + min(first_column + static_cast<std::int64_t>(threadIdx.x), p.columns - 1));
  }
  __syncthreads();
  std::conditional_t<kByTensorCores<T>, TensorSums<T>, PlainSums<T>> sums;
  Fetched<T> fetched;
  fetched.fetch(p, first_row, first_column, kGatheredOutliers + lane, count);
  for (int at = kGatheredOutliers; at < count; at += kDepth) {
    fetched.keep(rows, columns, scales);
    __syncthreads();
    if (at + kDepth < count) fetched.fetch(p, first_row, first_column, at + kDepth + lane, count);
    sums.add(rows, columns);
    __syncthreads();
  }
  sums.store(p.further + first_row * stride + first_column, stride);
}

template <typename T>
__global__ void __launch_bounds__(kThreads, 2) prepare_outliers(Int8Product p, std::int64_t tiles) {
  const int count = p.outliers[0];
  tell(p, count);
  if (count == 0) return;
  gather_weight<T>(p, count);
  if (count <= kGatheredOutliers) return;
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) sum_tile<T>(p, tile, count);
}

constexpr int kEight = 8;

/// Lines of both factors with nothing but the further columns in them, eight columns a thread.
template <typename T>
__device__ void set_side_by_side(const Int8Product& p, const FurtherScratch& scratch, int further) {
  const std::int32_t* const columns = p.outliers + 1 + kGatheredOutliers;
  for (std::int64_t line = blockIdx.x; line < p.rows + p.columns; line += gridDim.x) {
    const bool is_left = line < p.rows;
    const std::int64_t at_line = is_left ? line : line - p.rows;
    const T* const input = static_cast<const T*>(p.input) + at_line * p.inner;
    const std::int8_t* const weight = p.weight + at_line * p.inner;
    const float scale = is_left ? 0.0f : __ldg(p.weight_scales + at_line);
    T* const to = static_cast<T*>(is_left ? scratch.left : scratch.right) + at_line * scratch.stride;
    for (int at = static_cast<int>(threadIdx.x) * kEight; at < further; at += kThreads * kEight) {
      alignas(16) T eight[kEight];
#pragma unroll
      for (int j = 0; j < kEight; ++j) {
        const int place = at + j < further ? __ldg(columns + at + j) : 0;
        eight[j] = is_left ? input[place] : rounded<T>(dequantized<T>(weight[place], scale));
      }
      *reinterpret_cast<uint4*>(to + at) = *reinterpret_cast<const uint4*>(eight);
    }
  }
}

/// Copies of the weight's outlier columns, and the further ones' product as another kernel takes it.
template <typename T>
__global__ void __launch_bounds__(kThreads) prepare_outliers_apart(Int8Product p, FurtherScratch scratch) {
  const int count = p.outliers[0];
  const int further = count > kGatheredOutliers ? count - kGatheredOutliers : 0;
  tell(p, count);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    *scratch.problem = {further > 0 ? static_cast<std::int32_t>(p.rows) : 0,
                        static_cast<std::int32_t>(p.columns),
                        further,
                        scratch.left,
                        scratch.right,
                        p.further,
                        scratch.stride,
                        scratch.stride,
                        device::in_whole_tiles(p.columns)};
  }
  if (count == 0) return;
  gather_weight<T>(p, count);
  if (further > 0) set_side_by_side<T>(p, scratch, further);
}

}  // namespace

static void launch_prepare_apart(const Int8Product& product, cudaStream_t stream) {
  const std::int64_t gathering = (product.columns + kGatherColumns - 1) / kGatherColumns;
  if (gathering == 0 || product.rows == 0) return;
  constexpr std::int64_t kBlocks = 1056;  // eight for each multiprocessor of the device that has the other kernel
  const auto blocks = static_cast<unsigned>(std::max(gathering, std::min(product.rows + product.columns, kBlocks)));
  by_type(product.dtype, [&](auto example) {
    using T = decltype(example);
    if constexpr (sizeof(T) == 2) {
      prepare_outliers_apart<T><<<blocks, kThreads, 0, stream>>>(product, further_scratch(product));
    }
  });
  check(cudaGetLastError(), "preparing outlier columns");
}

void launch_prepare_outliers(const Int8Product& product, cudaStream_t stream) {
  if (product.further_scratch != nullptr) return launch_prepare_apart(product, stream);
  const std::int64_t gathering = (product.columns + kGatherColumns - 1) / kGatherColumns;
  const std::int64_t tiles =
      device::in_whole_tiles(product.rows) / kTile * (device::in_whole_tiles(product.columns) / kTile);
  if (tiles == 0) return;
  // Enough blocks for every device at once; the rest of the tiles they take in turn. Without outliers they cost no more
  // than being launched.
  constexpr std::int64_t kMostBlocks = 1024;
  const auto blocks = static_cast<unsigned>(std::max(gathering, std::min(tiles, kMostBlocks)));
  by_type(product.dtype,
          [&](auto example) { prepare_outliers<decltype(example)><<<blocks, kThreads, 0, stream>>>(product, tiles); });
  check(cudaGetLastError(), "preparing outlier columns");
}

}  // namespace nongemm::cuda
