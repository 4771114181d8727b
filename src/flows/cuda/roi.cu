// Selection of regions of interest, with torchvision's semantics (its operators nms and roi_align).
#include <cuda_fp16.h>

#include <algorithm>

#include "flows/cuda/check.h"
#include "flows/cuda/kernels.h"

namespace nongemm::cuda {
namespace {

constexpr int kMaskBoxes = 64;  // boxes per bit mask
constexpr int kRoiThreads = 256;

template <typename T>
__device__ float as_float(T value) {
  return static_cast<float>(value);
}
template <>
__device__ float as_float<__half>(__half value) {
  return __half2float(value);
}

template <typename T>
struct Accumulator {
  using Type = float;
};
template <>
struct Accumulator<double> {
  using Type = double;
};

template <typename T, typename A>
__device__ A load(const T* values, std::int64_t i) {
  if constexpr (sizeof(A) == sizeof(double)) {
    return values[i];
  } else {
    return as_float(values[i]);
  }
}

template <typename A>
__device__ bool overlap_more(const A* a, const A* b, A threshold) {
  const A left = max(a[0], b[0]);
  const A top = max(a[1], b[1]);
  const A right = min(a[2], b[2]);
  const A bottom = min(a[3], b[3]);
  const A shared = max(right - left, A(0)) * max(bottom - top, A(0));
  const A area_a = (a[2] - a[0]) * (a[3] - a[1]);
  const A area_b = (b[2] - b[0]) * (b[3] - b[1]);
  return shared / (area_a + area_b - shared) > threshold;
}

/// mask[i * words + w]: bit j is set when box 64 w + j comes after box i and overlaps it too much.
template <typename T, typename A>
__global__ void mask_kernel(const T* boxes, std::int64_t count, A threshold, std::uint64_t* mask) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * kMaskBoxes + threadIdx.x;
  const std::int64_t first_column = static_cast<std::int64_t>(blockIdx.x) * kMaskBoxes;
  const int columns =
      static_cast<int>(min(static_cast<long long>(count - first_column), static_cast<long long>(kMaskBoxes)));
  __shared__ A tile[kMaskBoxes * 4];
  if (static_cast<int>(threadIdx.x) < columns) {
    for (int c = 0; c < 4; ++c) tile[threadIdx.x * 4 + c] = load<T, A>(boxes, (first_column + threadIdx.x) * 4 + c);
  }
  __syncthreads();
  if (row >= count) return;
  A own[4];
  for (int c = 0; c < 4; ++c) own[c] = load<T, A>(boxes, row * 4 + c);
  std::uint64_t bits = 0;
  for (int j = 0; j < columns; ++j) {
    if (first_column + j > row && overlap_more(own, tile + j * 4, threshold)) bits |= std::uint64_t{1} << j;
  }
  mask[row * gridDim.x + blockIdx.x] = bits;
}

/// One block walks the boxes in order; `removed` has a word per 64 boxes and stands after the mask.
__global__ void keep_kernel(const std::uint64_t* mask, std::int64_t count, std::int64_t words, std::uint64_t* removed,
                            std::uint8_t* keep) {
  for (std::int64_t w = threadIdx.x; w < words; w += blockDim.x) removed[w] = 0;
  __syncthreads();
  for (std::int64_t i = 0; i < count; ++i) {
    const bool kept = (removed[i / kMaskBoxes] >> (i % kMaskBoxes) & 1) == 0;
    __syncthreads();  // all have read the word before it changes
    if (threadIdx.x == 0) keep[i] = kept ? 1 : 0;
    if (kept) {
      for (std::int64_t w = i / kMaskBoxes + threadIdx.x; w < words; w += blockDim.x) removed[w] |= mask[i * words + w];
    }
    __syncthreads();
  }
}

template <typename T>
void nms_as(const device::NmsArguments& arguments, cudaStream_t stream) {
  using A = typename Accumulator<T>::Type;
  const std::int64_t words = (arguments.count + kMaskBoxes - 1) / kMaskBoxes;
  auto* mask = static_cast<std::uint64_t*>(arguments.scratch);
  const dim3 grid(static_cast<unsigned>(words), static_cast<unsigned>(words));
  mask_kernel<T, A><<<grid, kMaskBoxes, 0, stream>>>(static_cast<const T*>(arguments.boxes), arguments.count,
                                                     static_cast<A>(arguments.iou_threshold), mask);
  keep_kernel<<<1, kRoiThreads, 0, stream>>>(mask, arguments.count, words, mask + arguments.count * words,
                                             arguments.keep);
  check(cudaGetLastError(), "nms");
}

/// The input between pixels; outside by more than one pixel it is 0.
template <typename T, typename A>
__device__ A interpolate(const T* image, int height, int width, A y, A x) {
  if (y < A(-1) || y > A(height) || x < A(-1) || x > A(width)) return A(0);
  y = max(y, A(0));
  x = max(x, A(0));
  int y_low = static_cast<int>(y);
  int x_low = static_cast<int>(x);
  int y_high = y_low + 1;
  int x_high = x_low + 1;
  if (y_low >= height - 1) {
    y_low = y_high = height - 1;
    y = static_cast<A>(y_low);
  }
  if (x_low >= width - 1) {
    x_low = x_high = width - 1;
    x = static_cast<A>(x_low);
  }
  const A down = y - y_low;
  const A right = x - x_low;
  const A up = A(1) - down;
  const A left = A(1) - right;
  const auto at = [&](int row, int column) {
    return load<T, A>(image, static_cast<std::int64_t>(row) * width + column);
  };
  return up * left * at(y_low, x_low) + up * right * at(y_low, x_high) + down * left * at(y_high, x_low) +
         down * right * at(y_high, x_high);
}

template <typename T, typename A>
__global__ void roi_align_kernel(device::RoiAlignArguments arguments, std::int64_t total) {
  const auto* input = static_cast<const T*>(arguments.input);
  const auto* rois = static_cast<const T*>(arguments.rois);
  auto* output = static_cast<T*>(arguments.output);
  const int height = static_cast<int>(arguments.height);
  const int width = static_cast<int>(arguments.width);
  const int pooled_height = static_cast<int>(arguments.pooled_height);
  const int pooled_width = static_cast<int>(arguments.pooled_width);
  const A scale = static_cast<A>(arguments.spatial_scale);
  const A shift = arguments.aligned ? A(0.5) : A(0);
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += step) {
    const int column = static_cast<int>(i % pooled_width);
    const int row = static_cast<int>(i / pooled_width % pooled_height);
    const std::int64_t channel = i / pooled_width / pooled_height % arguments.channels;
    const std::int64_t roi = i / pooled_width / pooled_height / arguments.channels;

    const std::int64_t batch = static_cast<std::int64_t>(load<T, A>(rois, roi * 5));
    const A x_begin = load<T, A>(rois, roi * 5 + 1) * scale - shift;
    const A y_begin = load<T, A>(rois, roi * 5 + 2) * scale - shift;
    A roi_width = load<T, A>(rois, roi * 5 + 3) * scale - shift - x_begin;
    A roi_height = load<T, A>(rois, roi * 5 + 4) * scale - shift - y_begin;
    if (!arguments.aligned) {
      roi_width = max(roi_width, A(1));
      roi_height = max(roi_height, A(1));
    }
    const A bin_height = roi_height / static_cast<A>(pooled_height);
    const A bin_width = roi_width / static_cast<A>(pooled_width);
    const int samples_y = arguments.sampling_ratio > 0 ? static_cast<int>(arguments.sampling_ratio)
                                                       : static_cast<int>(ceil(roi_height / pooled_height));
    const int samples_x = arguments.sampling_ratio > 0 ? static_cast<int>(arguments.sampling_ratio)
                                                       : static_cast<int>(ceil(roi_width / pooled_width));
    const T* image = input + (batch * arguments.channels + channel) * arguments.height * arguments.width;
    A sum = 0;
    for (int sy = 0; sy < samples_y; ++sy) {
      const A y = y_begin + row * bin_height + (sy + A(0.5)) * bin_height / samples_y;
      for (int sx = 0; sx < samples_x; ++sx) {
        const A x = x_begin + column * bin_width + (sx + A(0.5)) * bin_width / samples_x;
        sum += interpolate<T, A>(image, height, width, y, x);
      }
    }
    output[i] = static_cast<T>(sum / static_cast<A>(max(samples_y * samples_x, 1)));
  }
}

template <typename T>
void roi_align_as(const device::RoiAlignArguments& arguments, cudaStream_t stream) {
  using A = typename Accumulator<T>::Type;
  const std::int64_t total = arguments.count * arguments.channels * arguments.pooled_height * arguments.pooled_width;
  const auto blocks = static_cast<unsigned>(std::min<std::int64_t>((total + kRoiThreads - 1) / kRoiThreads, 4096));
  roi_align_kernel<T, A><<<blocks, kRoiThreads, 0, stream>>>(arguments, total);
  check(cudaGetLastError(), "roi_align");
}

/// Calls as(T) with a value of the type that `dtype` names.
template <typename As>
void with_type(DType dtype, const char* what, As&& as) {
  switch (dtype) {
    case DType::kFloat16:
      return as(__half{});
    case DType::kFloat32:
      return as(float{});
    case DType::kFloat64:
      return as(double{});
    default:
      throw Error(ErrorKind::kUnsupported, std::string(what) + " of this type does not exist on the device");
  }
}

}  // namespace

std::int64_t nms_mask_words(std::int64_t count) {
  const std::int64_t words = (count + kMaskBoxes - 1) / kMaskBoxes;
  return (count + 1) * words;
}

void launch_nms(const device::NmsArguments& arguments, cudaStream_t stream) {
  if (arguments.count == 0) return;
  with_type(arguments.dtype, "nms", [&](auto type) { nms_as<decltype(type)>(arguments, stream); });
}

void launch_roi_align(const device::RoiAlignArguments& arguments, cudaStream_t stream) {
  if (arguments.count * arguments.channels * arguments.pooled_height * arguments.pooled_width == 0) return;
  with_type(arguments.dtype, "roi_align", [&](auto type) { roi_align_as<decltype(type)>(arguments, stream); });
}

}  // namespace nongemm::cuda
