// What memory limits, in one pass over it: norms with the addition before them, rotary embeddings, gated activations.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "flows/cuda/check.h"
#include "flows/cuda/floating.h"
#include "flows/cuda/fused.h"

namespace nongemm::cuda {
namespace {

constexpr int kFusedThreads = 256;
constexpr int kWarp = 32;
constexpr int kVectorBytes = 16;

/// Elements that a thread reads or writes at once.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Packed {
  T elements[kCount];
};

template <int kCount, typename T>
__device__ void load_floats(const T* from, float* values) {
  const auto packed = *reinterpret_cast<const Packed<T, kCount>*>(from);
#pragma unroll
  for (int i = 0; i < kCount; ++i) values[i] = as_float(packed.elements[i]);
}

template <int kCount, typename T>
__device__ void store_floats(T* to, const float* values) {
  Packed<T, kCount> packed;
#pragma unroll
  for (int i = 0; i < kCount; ++i) packed.elements[i] = rounded<T>(values[i]);
  *reinterpret_cast<Packed<T, kCount>*>(to) = packed;
}

template <typename T>
__device__ float rounded_float(float value) {
  return as_float(rounded<T>(value));
}

/// Of all threads of a row, which are whole warps; several only where the block has one row.
__device__ float row_sum(float value) {
  __shared__ float of_warps[kWarp];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffU, value, offset);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return value;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  if (lane == 0) of_warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = lane < warps ? of_warps[lane] : 0.0F;
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffU, value, offset);
  __syncthreads();  // before the next sum
  return value;
}

/// The weight's and the bias' elements from `column` on.
template <int kCount, typename T>
__device__ void load_parameters(const void* vector, bool fp32, std::int64_t column, float* values) {
  if (fp32) {
    for (int i = 0; i < kCount; ++i) values[i] = static_cast<const float*>(vector)[column + i];
  } else {
    load_floats<kCount>(static_cast<const T*>(vector) + column, values);
  }
}

/// Normalized elements from `column` on, times the weight, plus the bias.
template <int kCount, typename T>
__device__ void finish_norm(const device::NormRows& a, std::int64_t column, float* values) {
  float factors[kCount];
  if (!a.layer_norm && !a.wide) {
    for (int i = 0; i < kCount; ++i) values[i] = rounded_float<T>(values[i]);
  }
  const bool fp32 = a.weight_dtype == DType::kFloat32;
  if (a.weight != nullptr) {
    load_parameters<kCount, T>(a.weight, fp32, column, factors);
    for (int i = 0; i < kCount; ++i) values[i] *= factors[i] + a.offset;
  }
  if (a.bias != nullptr) {
    load_parameters<kCount, T>(a.bias, fp32, column, factors);
    for (int i = 0; i < kCount; ++i) values[i] += factors[i];
  }
}

/// A row for blockDim.x threads, blockDim.y rows for a block. Its elements stay in registers.
template <typename T, int kCount, int kPer>
__global__ void norm_in_registers(device::NormRows a) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= a.rows) return;
  const std::int64_t begin = row * a.columns;
  const auto column = [&](int part) { return (static_cast<std::int64_t>(part) * blockDim.x + threadIdx.x) * kCount; };
  float values[kPer][kCount];
  float total = 0;
#pragma unroll
  for (int part = 0; part < kPer; ++part) {
    const bool inside = column(part) < a.columns;
    if (inside) load_floats<kCount>(static_cast<const T*>(a.input) + begin + column(part), values[part]);
    if (inside && a.other != nullptr) {
      float more[kCount];
      load_floats<kCount>(static_cast<const T*>(a.other) + begin + column(part), more);
      for (int i = 0; i < kCount; ++i) values[part][i] = rounded_float<T>(values[part][i] + more[i]);
      store_floats<kCount>(static_cast<T*>(a.sum) + begin + column(part), values[part]);
    }
    for (int i = 0; i < kCount; ++i) {
      if (!inside) values[part][i] = 0;
      total += a.layer_norm ? values[part][i] : values[part][i] * values[part][i];
    }
  }
  const float count = static_cast<float>(a.columns);
  float mean = 0;
  float squares = row_sum(total);
  if (a.layer_norm) {
    mean = squares / count;
    total = 0;
#pragma unroll
    for (int part = 0; part < kPer; ++part) {
      if (column(part) >= a.columns) continue;
      for (int i = 0; i < kCount; ++i) total += (values[part][i] - mean) * (values[part][i] - mean);
    }
    squares = row_sum(total);
  }
  const float scale = rsqrtf(squares / count + a.epsilon);
#pragma unroll
  for (int part = 0; part < kPer; ++part) {
    if (column(part) >= a.columns) continue;
    for (int i = 0; i < kCount; ++i) values[part][i] = (values[part][i] - mean) * scale;
    finish_norm<kCount, T>(a, column(part), values[part]);
    store_floats<kCount>(static_cast<T*>(a.output) + begin + column(part), values[part]);
  }
}

/// Rows of any length, element by element: read again in each of three turns.
template <typename T>
__global__ void norm_of_any_row(device::NormRows a) {
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * a.columns;
  const auto* input = static_cast<const T*>(a.other == nullptr ? a.input : a.sum) + begin;
  float total = 0;
  for (std::int64_t i = threadIdx.x; i < a.columns; i += blockDim.x) {
    if (a.other != nullptr) {
      const float both =
          as_float(static_cast<const T*>(a.input)[begin + i]) + as_float(static_cast<const T*>(a.other)[begin + i]);
      static_cast<T*>(a.sum)[begin + i] = rounded<T>(both);
    }
    const float value = as_float(input[i]);
    total += a.layer_norm ? value : value * value;
  }
  const float count = static_cast<float>(a.columns);
  float mean = 0;
  float squares = row_sum(total);
  if (a.layer_norm) {
    mean = squares / count;
    total = 0;
    for (std::int64_t i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float apart = as_float(input[i]) - mean;
      total += apart * apart;
    }
    squares = row_sum(total);
  }
  const float scale = rsqrtf(squares / count + a.epsilon);
  for (std::int64_t i = threadIdx.x; i < a.columns; i += blockDim.x) {
    float value = (as_float(input[i]) - mean) * scale;
    finish_norm<1, T>(a, i, &value);
    static_cast<T*>(a.output)[begin + i] = rounded<T>(value);
  }
}

bool all_aligned(std::initializer_list<const void*> pointers) {
  return std::all_of(pointers.begin(), pointers.end(),
                     [](const void* at) { return reinterpret_cast<std::uintptr_t>(at) % kVectorBytes == 0; });
}

unsigned whole_blocks(std::int64_t count, std::int64_t each) {
  const std::int64_t blocks = (count + each - 1) / each;
  if (blocks > std::numeric_limits<int>::max()) throw Error(ErrorKind::kUnsupported, "a tensor of too many elements");
  return static_cast<unsigned>(blocks);
}

template <typename T>
void launch_norm(const device::NormRows& a, cudaStream_t stream) {
  constexpr int kCount = kVectorBytes / sizeof(T);
  const std::int64_t vectors = a.columns / kCount;
  constexpr std::int64_t kMostThreads = 1024;
  const bool whole = a.columns % kCount == 0 && vectors <= 4 * kMostThreads &&
                     all_aligned({a.input, a.other, a.weight, a.bias, a.sum, a.output});
  if (!whole) {
    norm_of_any_row<T><<<whole_blocks(a.rows, 1), kFusedThreads, 0, stream>>>(a);
    return;
  }
  if (vectors <= kWarp) {
    constexpr unsigned kRows = 4;
    norm_in_registers<T, kCount, 1><<<whole_blocks(a.rows, kRows), dim3(kWarp, kRows), 0, stream>>>(a);
    return;
  }
  // Few rows leave most of the device idle: more threads for each.
  constexpr std::int64_t kManyRows = 512;
  const int per = vectors > 2 * kMostThreads                                         ? 4
                  : vectors > kMostThreads || (vectors > 256 && a.rows >= kManyRows) ? 2
                                                                                     : 1;
  const auto threads = static_cast<unsigned>(((vectors + per - 1) / per + kWarp - 1) / kWarp * kWarp);
  const unsigned blocks = whole_blocks(a.rows, 1);
  if (per == 1) norm_in_registers<T, kCount, 1><<<blocks, threads, 0, stream>>>(a);
  if (per == 2) norm_in_registers<T, kCount, 2><<<blocks, threads, 0, stream>>>(a);
  if (per == 4) norm_in_registers<T, kCount, 4><<<blocks, threads, 0, stream>>>(a);
}

/// kCount pairs of a head's halves for each thread.
template <typename T, int kCount>
__global__ void rotate_pairs(device::Rotary a, unsigned pairs, unsigned count) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const std::int64_t at = static_cast<std::int64_t>(index % pairs) * kCount;
  unsigned rest = index / pairs;
  std::int64_t input = at, output = at, cosine = at, sine = at;
#pragma unroll
  for (int dim = 2; dim >= 0; --dim) {
    const auto size = static_cast<unsigned>(a.sizes[dim]);
    const std::int64_t i = rest % size;
    rest /= size;
    input += i * a.input_strides[dim];
    output += i * a.output_strides[dim];
    cosine += i * a.cosine_strides[dim];
    sine += i * a.sine_strides[dim];
  }
  const std::int64_t half = a.width / 2;
  const std::int64_t second = a.angles == a.width ? half : 0;
  float x[kCount], y[kCount], angles[4][kCount];
  load_floats<kCount>(static_cast<const T*>(a.input) + input, x);
  load_floats<kCount>(static_cast<const T*>(a.input) + input + half, y);
  load_floats<kCount>(static_cast<const T*>(a.cosine) + cosine, angles[0]);
  load_floats<kCount>(static_cast<const T*>(a.sine) + sine, angles[1]);
  load_floats<kCount>(static_cast<const T*>(a.cosine) + cosine + second, angles[2]);
  load_floats<kCount>(static_cast<const T*>(a.sine) + sine + second, angles[3]);
  const auto step = [&](float value) { return a.wide ? value : rounded_float<T>(value); };
  for (int i = 0; i < kCount; ++i) {
    const float first = step(__fmul_rn(x[i], angles[0][i])) - step(__fmul_rn(y[i], angles[1][i]));
    y[i] = step(__fmul_rn(y[i], angles[2][i])) + step(__fmul_rn(x[i], angles[3][i]));
    x[i] = first;
  }
  store_floats<kCount>(static_cast<T*>(a.output) + output, x);
  store_floats<kCount>(static_cast<T*>(a.output) + output + half, y);
}

template <typename T>
void launch_rotary_of(const device::Rotary& a, cudaStream_t stream) {
  constexpr int kCount = kVectorBytes / sizeof(T);
  const std::int64_t half = a.width / 2;
  bool vectors = half % kCount == 0 && all_aligned({a.input, a.output, a.cosine, a.sine});
  for (int dim = 0; dim < 3; ++dim) {
    for (const auto& strides : {a.input_strides, a.output_strides, a.cosine_strides, a.sine_strides}) {
      vectors = vectors && (a.sizes[dim] == 1 || strides[dim] % kCount == 0);
    }
  }
  const std::int64_t pairs = vectors ? half / kCount : half;
  const std::int64_t count = pairs * a.sizes[0] * a.sizes[1] * a.sizes[2];
  const unsigned blocks = whole_blocks(count, kFusedThreads);
  if (count > std::numeric_limits<unsigned>::max()) {
    throw Error(ErrorKind::kUnsupported, "heads of too many elements");
  }
  const auto [p, c] = std::pair(static_cast<unsigned>(pairs), static_cast<unsigned>(count));
  if (vectors) {
    rotate_pairs<T, kCount><<<blocks, kFusedThreads, 0, stream>>>(a, p, c);
  } else {
    rotate_pairs<T, 1><<<blocks, kFusedThreads, 0, stream>>>(a, p, c);
  }
}

/// As PyTorch's kernels have them.
__device__ float activated(device::GatedActivation::Kind kind, float x) {
  if (kind == device::GatedActivation::Kind::kSilu) return x / (1.0F + expf(-x));
  if (kind == device::GatedActivation::Kind::kGelu) return x * 0.5F * (1.0F + erff(x * 0.70710678118654752440F));
  constexpr float kSqrtTwoOverPi = 0.79788456080286535588F;
  return 0.5F * x * (1.0F + tanhf(kSqrtTwoOverPi * (x + 0.044715F * x * x * x)));
}

template <typename T, int kCount>
__global__ void gate(device::GatedActivation a, std::int64_t in_row, std::int64_t count) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const std::int64_t row = a.rows == 1 ? 0 : index / in_row;
  const std::int64_t column = (index - row * in_row) * kCount;
  float x[kCount], other[kCount];
  load_floats<kCount>(static_cast<const T*>(a.gate) + row * a.gate_stride + column, x);
  load_floats<kCount>(static_cast<const T*>(a.other) + row * a.other_stride + column, other);
  for (int i = 0; i < kCount; ++i) x[i] = rounded_float<T>(activated(a.kind, x[i])) * other[i];
  store_floats<kCount>(static_cast<T*>(a.output) + index * kCount, x);
}

template <typename T>
void launch_gate(device::GatedActivation a, cudaStream_t stream) {
  constexpr int kCount = kVectorBytes / sizeof(T);
  if (a.gate_stride == a.columns && a.other_stride == a.columns) {
    a.columns *= a.rows;
    a.rows = 1;
  }
  const bool strides = a.rows == 1 || (a.gate_stride % kCount == 0 && a.other_stride % kCount == 0);
  const bool vectors = a.columns % kCount == 0 && strides && all_aligned({a.gate, a.other, a.output});
  const std::int64_t in_row = vectors ? a.columns / kCount : a.columns;
  const std::int64_t count = a.rows * in_row;
  const unsigned blocks = whole_blocks(count, kFusedThreads);
  if (vectors) {
    gate<T, kCount><<<blocks, kFusedThreads, 0, stream>>>(a, in_row, count);
  } else {
    gate<T, 1><<<blocks, kFusedThreads, 0, stream>>>(a, in_row, count);
  }
}

}  // namespace

void launch_norm_rows(const device::NormRows& rows, cudaStream_t stream) {
  if (rows.rows == 0 || rows.columns == 0) return;
  by_type(rows.dtype, [&](auto type) { launch_norm<decltype(type)>(rows, stream); });
  check(cudaGetLastError(), "norms of rows");
}

void launch_rotary(const device::Rotary& rotary, cudaStream_t stream) {
  if (rotary.width == 0 || rotary.sizes[0] * rotary.sizes[1] * rotary.sizes[2] == 0) return;
  by_type(rotary.dtype, [&](auto type) { launch_rotary_of<decltype(type)>(rotary, stream); });
  check(cudaGetLastError(), "rotary embeddings");
}

void launch_gated_activation(const device::GatedActivation& gated, cudaStream_t stream) {
  if (gated.rows == 0 || gated.columns == 0) return;
  by_type(gated.dtype, [&](auto type) { launch_gate<decltype(type)>(gated, stream); });
  check(cudaGetLastError(), "gated activations");
}

}  // namespace nongemm::cuda
