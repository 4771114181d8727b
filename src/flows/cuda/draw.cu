// Synthetic weights, drawn where they are used: 16 GB take some 10 ms. Compiled without fused multiply-add, so that the
// values are the host's, bit for bit.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>

#include "flows/cuda/check.h"
#include "flows/cuda/kernels.h"

namespace nongemm::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kStretch = std::int64_t{1} << 32;

template <typename T>
__device__ T convert(float value) {
  return static_cast<T>(value);
}
template <>
__device__ __half convert<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ __nv_bfloat16 convert<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

/// Elements [0, count) of the stretch that begins with element `begin` of the tensor; `key` is the stretch's.
template <typename T>
__global__ void draw_kernel(weights::Draw draw, std::uint64_t key, std::int64_t begin, std::int64_t count, T* out) {
  const auto key_low = static_cast<std::uint32_t>(key);
  const auto key_high = static_cast<std::uint32_t>(key >> 32);
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    float value = draw.offset;
    if (draw.kind != InitSpec::Kind::kConstant) {
      const std::uint32_t bits = weights::hash_index(static_cast<std::uint32_t>(i), key_low, key_high);
      value = draw.kind == InitSpec::Kind::kUniform ? weights::uniform_value(bits, draw.scale, draw.offset)
                                                    : weights::normal_value(bits, draw.scale, draw.offset);
    }
    if (weights::is_peak(draw, static_cast<std::uint64_t>(begin + i))) value = draw.peak;
    out[i] = convert<T>(value);
  }
}

template <typename T>
void draw_as(const weights::Draw& draw, std::int64_t count, void* memory, cudaStream_t stream) {
  for (std::int64_t begin = 0; begin < count; begin += kStretch) {
    const std::int64_t size = std::min(kStretch, count - begin);
    const auto blocks = static_cast<unsigned>(std::min<std::int64_t>((size + kThreads - 1) / kThreads, 1 << 16));
    const std::uint64_t key = weights::stretch_key(draw.key, static_cast<std::uint64_t>(begin));
    draw_kernel<T><<<blocks, kThreads, 0, stream>>>(draw, key, begin, size, static_cast<T*>(memory) + begin);
  }
  check(cudaGetLastError(), "drawing weights on the device");
}

}  // namespace

void launch_draw(const weights::Draw& draw, DType dtype, std::int64_t count, void* memory, cudaStream_t stream) {
  switch (dtype) {
    case DType::kFloat16:
      return draw_as<__half>(draw, count, memory, stream);
    case DType::kBFloat16:
      return draw_as<__nv_bfloat16>(draw, count, memory, stream);
    case DType::kFloat32:
      return draw_as<float>(draw, count, memory, stream);
    case DType::kFloat64:
      return draw_as<double>(draw, count, memory, stream);
    default:
      throw Error(ErrorKind::kUnsupported, "weights of this type are not drawn on the device");
  }
}

}  // namespace nongemm::cuda
