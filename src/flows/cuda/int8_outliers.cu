// Outlier columns of LLM.int8 before their product: copies of the weight's, and where activations have more of them
// than copies are kept for the sums of the further ones, by the tensor cores. How many there are only the device knows:
// one launch does either, and nothing where there are none. Where nearly all columns are outliers (random weights do
// that behind gated layers) both factors are written in the activations' type instead, and multiplied once.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "flows/cuda/check.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/int8_device.h"

namespace nongemm::cuda {
namespace {

constexpr int kOutlierThreads = 256;
constexpr int kOutlierBlocks = 2;                                // on one multiprocessor
constexpr int kGatheredLines = kOutlierThreads / kGatheredStep;  // of the weight, that a block has in hand

constexpr int kOutlierTile = static_cast<int>(device::kSumTile);
constexpr int kOutlierDepth = 32;          // outlier columns of one step: one for each lane
constexpr int kPitch = kOutlierDepth + 8;  // of a row in shared memory: sixteen bytes on, so that rows meet other banks
constexpr int kWarps = kOutlierThreads / 32;
constexpr int kRowsEach = kOutlierTile / kWarps;  // that a warp fetches
constexpr int kPart = 16;                         // of the tensor cores' shape
constexpr int kPartsDown = 4;                     // a warp computes 64 x 32
constexpr int kPartsAlong = 2;

__device__ void tell(const Int8Product& p, int count) {
  if (p.told != nullptr && blockIdx.x == 0 && threadIdx.x == 0) *p.told = count;
}

/// Copies of the weight's outlier columns. A thread reads kAtOnce lines, far apart, before it writes one: every entry
/// comes from another sector of the memory.
template <typename T>
__device__ void gather_weight(const Int8Product& p, int count) {
  constexpr int kAtOnce = 4;
  const std::int64_t apart = static_cast<std::int64_t>(gridDim.x) * kGatheredLines;
  const std::int64_t first =
      static_cast<std::int64_t>(blockIdx.x) * kGatheredLines + static_cast<int>(threadIdx.x) / kGatheredStep;
  for (int j = static_cast<int>(threadIdx.x) % kGatheredStep; j < filled_copies(count); j += kGatheredStep) {
    const bool there = j < count;
    const std::int8_t* const column = p.weight + (there ? __ldg(p.outliers + 1 + j) : 0);
    T* const copies = static_cast<T*>(p.gathered_weight) + j;
    for (std::int64_t begin = first; begin < p.columns; begin += kAtOnce * apart) {
      std::int8_t values[kAtOnce];
      float scales[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::int64_t line = begin + i * apart;
        const bool is_read = there && line < p.columns;
        values[i] = is_read ? __ldg(column + line * p.inner) : std::int8_t{0};
        scales[i] = is_read ? __ldg(p.weight_scales + line) : 0.0f;
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::int64_t line = begin + i * apart;
        if (line < p.columns) copies[line * kGatheredOutliers] = rounded<T>(dequantized<T>(values[i], scales[i]));
      }
    }
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
    for (int k = 0; k < kOutlierDepth; k += kPart) {
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
    for (int k = 0; k < kOutlierDepth; ++k) {
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
  __shared__ __align__(32) T rows[kOutlierTile][kPitch];
  __shared__ __align__(32) T columns[kOutlierTile][kPitch];
  __shared__ float scales[kOutlierTile];
  const std::int64_t stride = device::in_whole_tiles(p.columns);
  const std::int64_t along = stride / kOutlierTile;
  const std::int64_t first_row = tile / along * kOutlierTile;
  const std::int64_t first_column = tile % along * kOutlierTile;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (threadIdx.x < kOutlierTile) {
    scales[threadIdx.x] =
        __ldg(p.weight_scales + min(first_column + static_cast<std::int64_t>(threadIdx.x), p.columns - 1));
  }
  __syncthreads();
  std::conditional_t<kByTensorCores<T>, TensorSums<T>, PlainSums<T>> sums;
  Fetched<T> fetched;
  fetched.fetch(p, first_row, first_column, kGatheredOutliers + lane, count);
  for (int at = kGatheredOutliers; at < count; at += kOutlierDepth) {
    fetched.keep(rows, columns, scales);
    __syncthreads();
    if (at + kOutlierDepth < count) fetched.fetch(p, first_row, first_column, at + kOutlierDepth + lane, count);
    sums.add(rows, columns);
    __syncthreads();
  }
  sums.store(p.further + first_row * stride + first_column, stride);
}

template <typename T>
__global__ void __launch_bounds__(kOutlierThreads, kOutlierBlocks) prepare_outliers(Int8Product p, std::int64_t tiles) {
  const int count = p.outliers[0];
  tell(p, count);
  if (count == 0) return;
  gather_weight<T>(p, count);
  if (count <= kGatheredOutliers) return;
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) sum_tile<T>(p, tile, count);
}

constexpr int kEight = 8;  // columns of a thread: sixteen bytes of the factors
constexpr int kSlice = kOutlierThreads * kEight;
constexpr int kLines = 16;  // of a factor that one block writes of its slice
constexpr int kAtOnce = 4;  // of these under way

/// Which of the kEight columns from `begin` on are outliers, a bit each. The list rises: before a column there are at
/// most as many entries as columns, and at least those less the columns that are none.
__device__ unsigned outliers_among(const Int8Product& p, int count, int begin) {
  const std::int32_t* const columns = p.outliers + 1;
  const int inner = static_cast<int>(p.inner);
  int first = max(0, begin - (inner - count));  // of the list that is not before `begin`
  for (int after = min(begin, count); first < after;) {
    const int middle = (first + after) / 2;
    if (__ldg(columns + middle) < begin) {
      first = middle + 1;
    } else {
      after = middle;
    }
  }
  unsigned which = 0;
#pragma unroll
  for (int i = 0; i < kEight; ++i) {
    const int column = first + i < count ? __ldg(columns + first + i) - begin : kEight;
    if (column < kEight) which |= 1u << column;
  }
  return which;
}

template <typename T>
struct alignas(16) Eight {
  T values[kEight];
};

struct alignas(8) EightSteps {
  std::int8_t values[kEight];
};

/// A factor, and where it goes, from one column on.
template <typename T>
struct Factor {
  const std::int8_t* steps;
  const float* scales;
  const T* input;
  T* to;
  std::int64_t inner;
  std::int64_t lines;
};

/// kAtOnce lines from `first` on, all of which are read before one is written: beyond the last they read that again.
template <typename T, bool kSteps, bool kInput>
__device__ void unfold_lines(const Factor<T>& factor, std::int64_t first, unsigned aside) {
  EightSteps given[kAtOnce];
  Eight<T> result[kAtOnce];
  float scales[kAtOnce];
#pragma unroll
  for (int i = 0; i < kAtOnce; ++i) {
    const std::int64_t line = min(first + i, factor.lines - 1);
    if constexpr (kSteps) {
      given[i] = *reinterpret_cast<const EightSteps*>(factor.steps + line * factor.inner);
      scales[i] = __ldg(factor.scales + line);
    }
    if constexpr (kInput) result[i] = *reinterpret_cast<const Eight<T>*>(factor.input + line * factor.inner);
  }
#pragma unroll
  for (int i = 0; i < kAtOnce; ++i) {
    if (first + i >= factor.lines) return;
    if constexpr (kSteps) {
#pragma unroll
      for (int j = 0; j < kEight; ++j) {
        const bool as_it_was = kInput && (aside >> j & 1u) != 0;
        if (!as_it_was) result[i].values[j] = rounded<T>(dequantized<T>(given[i].values[j], scales[i]));
      }
    }
    *reinterpret_cast<Eight<T>*>(factor.to + (first + i) * factor.inner) = result[i];
  }
}

/// Lines of both factors as a product in T takes them: int8 values times their scales, and of the activations the
/// outlier columns as they were. A block writes one slice of kLines lines of one factor.
template <typename T>
__global__ void __launch_bounds__(kOutlierThreads)
    unfold_factors(Int8Product p, T* left, T* right, unsigned left_blocks) {
  const int count = __ldg(p.outliers);
  if (blockIdx.y == 0) tell(p, count);
  const bool is_left = blockIdx.y < left_blocks;
  const int place = static_cast<int>(blockIdx.x) * kSlice + static_cast<int>(threadIdx.x) * kEight;
  if (place >= p.inner) return;
  constexpr unsigned kAll = (1u << kEight) - 1;
  const unsigned aside = is_left ? outliers_among(p, count, place) : 0;
  const Factor<T> factor =
      is_left ? Factor<T>{p.values + place, p.row_scales, static_cast<const T*>(p.input) + place,
                          left + place,     p.inner,      p.rows}
              : Factor<T>{p.weight + place, p.weight_scales, nullptr, right + place, p.inner, p.columns};
  const std::int64_t begin = static_cast<std::int64_t>(is_left ? blockIdx.y : blockIdx.y - left_blocks) * kLines;
  const std::int64_t end = min(begin + kLines, factor.lines);
  for (std::int64_t line = begin; line < end; line += kAtOnce) {
    if (aside == 0) {
      unfold_lines<T, true, false>(factor, line, aside);
    } else if (aside == kAll) {
      unfold_lines<T, false, true>(factor, line, aside);
    } else {
      unfold_lines<T, true, true>(factor, line, aside);
    }
  }
}

/// Of prepare_outliers, on the current device.
int blocks_at_once() {
  int device = 0;
  int processors = 0;
  check(cudaGetDevice(&device), "asking for the current device");
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device), "asking for multiprocessors");
  return processors * kOutlierBlocks;
}

}  // namespace

bool can_unfold(const Int8Product& product) {
  const auto is_aligned = [](const void* at) { return reinterpret_cast<std::uintptr_t>(at) % 16 == 0; };
  constexpr std::int64_t kMostBlocks = 65535;  // of a grid's second dimension
  if ((product.rows + product.columns) / kLines + 2 > kMostBlocks) return false;
  return (product.dtype == DType::kFloat16 || product.dtype == DType::kBFloat16) && product.rows > 0 &&
         product.columns > 0 && product.inner % kEight == 0 && is_aligned(product.input) &&
         is_aligned(product.values) && is_aligned(product.weight);
}

void launch_unfold(const Int8Product& product, void* left, void* right, cudaStream_t stream) {
  const auto blocks = [](std::int64_t lines) { return static_cast<unsigned>((lines + kLines - 1) / kLines); };
  const unsigned left_blocks = blocks(product.rows);
  const dim3 grid(static_cast<unsigned>((product.inner + kSlice - 1) / kSlice), left_blocks + blocks(product.columns));
  by_type(product.dtype, [&](auto example) {
    using T = decltype(example);
    if constexpr (sizeof(T) == 2) {
      unfold_factors<T>
          <<<grid, kOutlierThreads, 0, stream>>>(product, static_cast<T*>(left), static_cast<T*>(right), left_blocks);
    }
  });
  check(cudaGetLastError(), "unfolding int8 factors");
}

void launch_prepare_outliers(const Int8Product& product, cudaStream_t stream) {
  const std::int64_t gathering = (product.columns + kGatheredLines - 1) / kGatheredLines;
  const std::int64_t tiles =
      device::in_whole_tiles(product.rows) / kOutlierTile * (device::in_whole_tiles(product.columns) / kOutlierTile);
  if (tiles == 0) return;
  // As many blocks as run at once, each of which takes lines and tiles in turn.
  const auto blocks = static_cast<unsigned>(std::min<std::int64_t>(std::max(gathering, tiles), blocks_at_once()));
  by_type(product.dtype, [&](auto example) {
    prepare_outliers<decltype(example)><<<blocks, kOutlierThreads, 0, stream>>>(product, tiles);
  });
  check(cudaGetLastError(), "preparing outlier columns");
}

}  // namespace nongemm::cuda
