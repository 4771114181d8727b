// Rows of activations to int8 with one scale each, as bitsandbytes' int8_vectorwise_quant gives them: entries below the
// threshold are scaled by the row's largest such magnitude, columns that hold any other one are set aside whole.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "flows/cuda/check.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/int8_device.h"

namespace nongemm::cuda {
namespace {

constexpr int kVector = 8;  // elements that a thread reads at once: 16 bytes of fp16

/// What the original rounds to before it quantizes.
__device__ float in_half(__half value) { return __half2float(value); }
template <typename T>
__device__ float in_half(T value) {
  return __half2float(__float2half_rn(as_float(value)));
}

struct RowResult {
  const void* input;
  std::int64_t rows;
  int columns;
  float threshold;
  std::int8_t* values;
  float* scales;
  std::uint8_t* flags;
};

__device__ float largest_in_warp(float value) {
  for (int offset = 16; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, offset));
  return value;
}

/// Over the kThreads threads that share a row; a block of one warp per row needs no shared memory.
template <int kThreads>
__device__ float largest_in_row(float value) {
  value = largest_in_warp(value);
  if constexpr (kThreads > 32) {
    __shared__ float partial[kThreads / 32];
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    value = largest_in_warp(threadIdx.x % 32 < kThreads / 32 ? partial[threadIdx.x % 32] : 0.0f);
  }
  return value;
}

/// A threshold of 0 or less means that nothing is an outlier.
__device__ bool is_outlier(float magnitude, float threshold) { return threshold > 0.0f && magnitude >= threshold; }

/// Ties to even, as torch.round; a row without any entry that counts is all zeros.
__device__ int quantized(float value, float factor) { return __float2int_rn(__fmul_rn(value, factor)); }
/// In two steps, as PyTorch and so the original divides on a CPU: ties fall alike on both.
__device__ float factor_of(float scale) { return scale > 0.0f ? __fmul_rn(__frcp_rn(scale), 127.0f) : 0.0f; }

/// Of a piece that holds outliers the largest of the other magnitudes.
template <typename T>
__device__ float largest_other(const T* elements, float threshold) {
  float largest = 0.0f;
#pragma unroll
  for (int i = 0; i < kVector; ++i) {
    const float magnitude = fabsf(in_half(elements[i]));
    largest = fmaxf(largest, is_outlier(magnitude, threshold) ? 0.0f : magnitude);
  }
  return largest;
}

/// kVector int8 values as they lie in memory; where the piece has outliers these are zeros, and their columns are
/// marked in `flags`, unless that is null. The mark is not asked for first: nobody waits for a store, and rows that
/// find it there would all wait for the answer.
template <typename T>
__device__ uint2 packed_piece(const T* elements, float factor, bool has_outliers, float threshold,
                              std::uint8_t* flags) {
  int numbers[kVector];
#pragma unroll
  for (int i = 0; i < kVector; ++i) numbers[i] = quantized(in_half(elements[i]), factor);
  if (has_outliers) {
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      if (!is_outlier(fabsf(in_half(elements[i])), threshold)) continue;
      numbers[i] = 0;
      if (flags != nullptr) flags[i] = 1;
    }
  }
  std::uint32_t words[2] = {0, 0};
#pragma unroll
  for (int i = 0; i < kVector; ++i) {
    words[i / 4] |= (static_cast<std::uint32_t>(numbers[i]) & 0xffu) << (8 * (i % 4));
  }
  return make_uint2(words[0], words[1]);
}

/// The row stays in registers between the search for its scale and its quantization. One row takes kThreads threads,
/// each with up to kVectors pieces of kVector elements, kThreads pieces apart.
template <typename T, int kThreads, int kVectors>
__global__ void __launch_bounds__(kThreads > 128 ? kThreads : 128) quantize_row(RowResult result) {
  constexpr int kRowsPerBlock = kThreads >= 128 ? 1 : 128 / kThreads;
  const int lane = threadIdx.x % kThreads;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.x / kThreads;
  static_assert(kVectors <= 32);
  if (row >= result.rows) return;  // whole warps, and whole blocks where a row takes more than one
  const int pieces = result.columns / kVector;
  const auto* input = reinterpret_cast<const uint4*>(static_cast<const T*>(result.input) + row * result.columns);
  uint4 held[kVectors];
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const int piece = v * kThreads + lane;
    held[v] = piece < pieces ? __ldcs(input + piece) : make_uint4(0, 0, 0, 0);
  }
  float largest = 0.0f;
  std::uint32_t with_outliers = 0;  // pieces; nearly all have none, and are not asked element by element
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const T* elements = reinterpret_cast<const T*>(&held[v]);
    float of_piece = 0.0f;
#pragma unroll
    for (int i = 0; i < kVector; ++i) of_piece = fmaxf(of_piece, fabsf(in_half(elements[i])));
    if (!is_outlier(of_piece, result.threshold)) {
      largest = fmaxf(largest, of_piece);
      continue;
    }
    with_outliers |= 1u << v;
    largest = fmaxf(largest, largest_other(elements, result.threshold));
  }
  largest = largest_in_row<kThreads>(largest);
  if (lane == 0) result.scales[row] = largest;
  const float factor = factor_of(largest);
  auto* output = reinterpret_cast<uint2*>(result.values + row * result.columns);
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const int piece = v * kThreads + lane;
    const T* elements = reinterpret_cast<const T*>(&held[v]);
    const bool has_outliers = (with_outliers >> v & 1u) != 0;
    std::uint8_t* const flags = result.flags == nullptr ? nullptr : result.flags + piece * kVector;
    if (piece < pieces) output[piece] = packed_piece(elements, factor, has_outliers, result.threshold, flags);
  }
}

/// Rows of any length and alignment, read twice.
template <typename T>
__global__ void __launch_bounds__(256) quantize_any_row(RowResult result) {
  const std::int64_t row = blockIdx.x;
  const T* input = static_cast<const T*>(result.input) + row * result.columns;
  float largest = 0.0f;
  for (int i = threadIdx.x; i < result.columns; i += blockDim.x) {
    const float magnitude = fabsf(in_half(input[i]));
    if (!is_outlier(magnitude, result.threshold)) {
      largest = fmaxf(largest, magnitude);
    } else if (result.flags != nullptr) {
      result.flags[i] = 1;
    }
  }
  largest = largest_in_row<256>(largest);
  if (threadIdx.x == 0) result.scales[row] = largest;
  const float factor = factor_of(largest);
  for (int i = threadIdx.x; i < result.columns; i += blockDim.x) {
    const float value = in_half(input[i]);
    const bool outlier = is_outlier(fabsf(value), result.threshold);
    result.values[row * result.columns + i] = static_cast<std::int8_t>(outlier ? 0 : quantized(value, factor));
  }
}

constexpr int kListThreads = 256;
constexpr int kRowsAside = 8;  // that one block sets outliers aside in
constexpr int kColumnsAside = kListThreads / kRowsAside;

/// Marks (0 or 1) of columns [begin, end); sixteen at once where they are aligned.
__device__ int count_marks(const std::uint8_t* flags, int begin, int end) {
  int count = 0;
  int i = begin;
  if (reinterpret_cast<std::uintptr_t>(flags + begin) % 16 == 0) {
    for (; i + 16 <= end; i += 16) {
      const uint4 marks = *reinterpret_cast<const uint4*>(flags + i);
      count = __dp4a(static_cast<int>(marks.x), 0x01010101, count);
      count = __dp4a(static_cast<int>(marks.y), 0x01010101, count);
      count = __dp4a(static_cast<int>(marks.z), 0x01010101, count);
      count = __dp4a(static_cast<int>(marks.w), 0x01010101, count);
    }
  }
  for (; i < end; ++i) count += flags[i];
  return count;
}

/// A warp writes the marked columns of [begin, end) in rising order, from list[place] on and not beyond list[limit].
__device__ void list_range(const std::uint8_t* flags, int begin, int end, int place, int* list, int limit) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int first = begin; first < end && place < limit; first += 32) {
    const bool marked = first + lane < end && flags[first + lane] != 0;
    const unsigned which = __ballot_sync(0xffffffffu, marked);
    const int own = place + __popc(which & ((1u << lane) - 1));
    if (marked && own < limit) list[own] = first + lane;
    place += __popc(which);
  }
}

/// Marked columns in rising order: their number and the first kGatheredOutliers of them in `first`, by each block, and
/// all of them in `all`, by the grid. Threads count ranges of columns; those with marks are listed by whole warps.
__device__ int list_columns(const std::uint8_t* flags, int columns, int* first, std::int32_t* all) {
  __shared__ int sums[kListThreads / 32];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int each = ((columns + kListThreads - 1) / kListThreads + 15) / 16 * 16;
  const int begin = min(static_cast<int>(threadIdx.x) * each, columns);
  const int count = count_marks(flags, begin, min(begin + each, columns));
  if (__syncthreads_or(count) == 0) return 0;  // as a rule
  int until = count;                           // of the warp, this thread included
  for (int offset = 1; offset < 32; offset *= 2) {
    const int before = __shfl_up_sync(0xffffffffu, until, offset);
    if (lane >= offset) until += before;
  }
  if (lane == 31) sums[threadIdx.x / 32] = until;
  __syncthreads();
  int place = until - count;
  int total = 0;
  for (int warp = 0; warp < kListThreads / 32; ++warp) {
    if (warp < static_cast<int>(threadIdx.x) / 32) place += sums[warp];
    total += sums[warp];
  }
  const auto list = [&](bool mine, int* to, int limit) {
    for (unsigned which = __ballot_sync(0xffffffffu, mine && count > 0 && place < limit); which != 0;
         which &= which - 1) {
      const int range = __ffs(static_cast<int>(which)) - 1;
      const int from = __shfl_sync(0xffffffffu, begin, range);
      list_range(flags, from, min(from + each, columns), __shfl_sync(0xffffffffu, place, range), to, limit);
    }
  };
  list(true, first, kGatheredOutliers);
  list(lane % gridDim.x == blockIdx.x, all, columns);
  __syncthreads();
  return total;
}

/// Zeros in the marked columns of these rows, eight columns a thread where they are aligned: only those that hold both
/// kinds are read.
__device__ void clear_columns(const Int8Rows& rows, std::int64_t begin, std::int64_t end) {
  const int columns = static_cast<int>(rows.columns);
  const bool aligned = columns % kVector == 0 && reinterpret_cast<std::uintptr_t>(rows.values) % kVector == 0 &&
                       reinterpret_cast<std::uintptr_t>(rows.flags) % kVector == 0;
  if (!aligned) {
    for (int i = static_cast<int>(threadIdx.x); i < columns; i += kListThreads) {
      if (rows.flags[i] == 0) continue;
      for (std::int64_t r = begin; r < end; ++r) rows.values[r * columns + i] = 0;
    }
    return;
  }
  constexpr std::uint32_t kAll = 0xffffffffu;
  for (int i = static_cast<int>(threadIdx.x) * kVector; i < columns; i += kListThreads * kVector) {
    const uint2 marks = *reinterpret_cast<const uint2*>(rows.flags + i);
    const uint2 kept = make_uint2(~(marks.x * 0xffu), ~(marks.y * 0xffu));  // marks are 0 or 1
    if (kept.x == kAll && kept.y == kAll) continue;
    const bool reads = kept.x != 0 || kept.y != 0;
    auto* const first = rows.values + begin * columns + i;
    // All loads before any store: the compiler cannot know that rows are apart.
    uint2 pieces[kRowsAside];
#pragma unroll
    for (int r = 0; r < kRowsAside; ++r) {
      pieces[r] = reads && begin + r < end
                      ? *reinterpret_cast<const uint2*>(first + static_cast<std::int64_t>(r) * columns)
                      : make_uint2(0, 0);
    }
#pragma unroll
    for (int r = 0; r < kRowsAside; ++r) {
      if (begin + r >= end) break;
      *reinterpret_cast<uint2*>(first + static_cast<std::int64_t>(r) * columns) =
          make_uint2(pieces[r].x & kept.x, pieces[r].y & kept.y);
    }
  }
}

/// Sets outlier columns to zero in all rows and keeps copies of the first of them.
template <typename T>
__global__ void __launch_bounds__(kListThreads) set_outliers_aside(Int8Rows rows) {
  __shared__ int first[kGatheredOutliers];
  const int columns = static_cast<int>(rows.columns);
  const int count = list_columns(rows.flags, columns, first, rows.outliers + 1);
  if (blockIdx.x == 0 && threadIdx.x == 0) rows.outliers[0] = count;
  if (count == 0) return;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kRowsAside;
  const std::int64_t row = begin + threadIdx.x / kColumnsAside;
  if (row < rows.rows) {
    for (int j = threadIdx.x % kColumnsAside; j < filled_copies(count); j += kColumnsAside) {
      T copy = rounded<T>(0.0f);
      if (j < count) {
        const std::int64_t place = row * columns + first[j];
        copy = static_cast<const T*>(rows.input)[place];
        rows.values[place] = 0;
      }
      static_cast<T*>(rows.gathered)[row * kGatheredOutliers + j] = copy;
    }
  }
  if (count > kGatheredOutliers) clear_columns(rows, begin, min(begin + kRowsAside, rows.rows));
}

template <typename T>
bool launch_in_registers(const RowResult& result, cudaStream_t stream) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(result.input) % 16 == 0 &&
                       reinterpret_cast<std::uintptr_t>(result.values) % 8 == 0;
  if (result.columns % kVector != 0 || !aligned) return false;
  const auto rows = static_cast<unsigned>(result.rows);
  const auto run = [&](auto threads, auto vectors) {
    constexpr int kThreads = decltype(threads)::value;
    constexpr int kVectors = decltype(vectors)::value;
    constexpr unsigned kRowsPerBlock = kThreads >= 128 ? 1 : 128 / kThreads;
    if (result.columns > kThreads * kVectors * kVector) return false;
    quantize_row<T, kThreads, kVectors>
        <<<(rows + kRowsPerBlock - 1) / kRowsPerBlock, std::max(kThreads, 128), 0, stream>>>(result);
    return true;
  };
  using std::integral_constant;  // calls that ask for more registers than a row needs come last
  const auto in_warp = integral_constant<int, 32>();
  const auto in_block = integral_constant<int, 128>();
  return run(in_warp, integral_constant<int, 4>()) || run(in_warp, integral_constant<int, 8>()) ||
         run(in_warp, integral_constant<int, 16>()) || run(in_block, integral_constant<int, 8>()) ||
         run(in_block, integral_constant<int, 14>()) ||
         run(integral_constant<int, 512>(), integral_constant<int, 16>());
}

template <typename T>
void launch(const Int8Rows& rows, cudaStream_t stream) {
  const RowResult result{rows.input,  rows.rows, static_cast<int>(rows.columns), rows.threshold, rows.values,
                         rows.scales, rows.flags};
  const bool set_aside = rows.threshold > 0 && rows.flags != nullptr;
  if (set_aside) {
    check(cudaMemsetAsync(rows.flags, 0, static_cast<std::size_t>(rows.columns), stream), "clearing marks of outliers");
  }
  bool launched = false;
  if constexpr (sizeof(T) == 2) launched = launch_in_registers<T>(result, stream);
  if (!launched) quantize_any_row<T><<<static_cast<unsigned>(rows.rows), 256, 0, stream>>>(result);
  check(cudaGetLastError(), "quantizing rows");
  if (!set_aside) return;
  const auto blocks = static_cast<unsigned>((rows.rows + kRowsAside - 1) / kRowsAside);
  set_outliers_aside<T><<<blocks, kListThreads, 0, stream>>>(rows);
  check(cudaGetLastError(), "setting outliers aside");
}

}  // namespace

void launch_int8_rows(const Int8Rows& rows, cudaStream_t stream) {
  if (rows.rows == 0) return;
  by_type(rows.dtype, [&](auto example) { launch<decltype(example)>(rows, stream); });
}

}  // namespace nongemm::cuda
