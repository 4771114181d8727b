#include "flows/torch/roi/roi_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/simd_dispatch.h"

#if NONGEMM_HAS_AVX2_VERSION
#include <immintrin.h>
#endif

namespace nongemm::torch_flow {
namespace {

/// Fewer boxes than this are compared in less time than other threads take to begin.
constexpr std::int64_t kMostAlone = 16384;

/// Boxes in the order of their scores, one array per coordinate, so that comparisons run over neighbours.
template <typename T>
struct SortedBoxes {
  std::vector<T> x1, y1, x2, y2, area;
  std::vector<std::uint8_t> dropped;
};

/// Marks the boxes from `first` on that overlap box `kept` by more than `threshold`.
template <typename T>
NONGEMM_ALWAYS_INLINE void drop_overlapping(SortedBoxes<T>& boxes, std::int64_t kept, std::int64_t first,
                                            std::int64_t count, T threshold) {
  const T x1 = boxes.x1[static_cast<std::size_t>(kept)];
  const T y1 = boxes.y1[static_cast<std::size_t>(kept)];
  const T x2 = boxes.x2[static_cast<std::size_t>(kept)];
  const T y2 = boxes.y2[static_cast<std::size_t>(kept)];
  const T area = boxes.area[static_cast<std::size_t>(kept)];
  const T* bx1 = boxes.x1.data();
  const T* by1 = boxes.y1.data();
  const T* bx2 = boxes.x2.data();
  const T* by2 = boxes.y2.data();
  const T* areas = boxes.area.data();
  std::uint8_t* dropped = boxes.dropped.data();
  for (std::int64_t j = first; j < count; ++j) {
    const T left = x1 < bx1[j] ? bx1[j] : x1;
    const T top = y1 < by1[j] ? by1[j] : y1;
    const T right = bx2[j] < x2 ? bx2[j] : x2;
    const T bottom = by2[j] < y2 ? by2[j] : y2;
    const T width = right - left;
    const T height = bottom - top;
    const T intersection = (width > 0 ? width : T(0)) * (height > 0 ? height : T(0));
    const T overlap = intersection / (area + areas[j] - intersection);
    dropped[j] = static_cast<std::uint8_t>(dropped[j] | static_cast<std::uint8_t>(overlap > threshold));
  }
}

template <typename T>
void drop_plain(SortedBoxes<T>& boxes, std::int64_t kept, std::int64_t first, std::int64_t count, T threshold) {
  drop_overlapping(boxes, kept, first, count, threshold);
}

#if NONGEMM_HAS_AVX2_VERSION
/// The same operations, eight boxes at a time; no fused multiply-add, so results are those of the plain loop.
NONGEMM_TARGET_AVX2 void drop_avx2(SortedBoxes<float>& boxes, std::int64_t kept, std::int64_t first, std::int64_t count,
                                   float threshold) {
  const auto at = static_cast<std::size_t>(kept);
  const __m256 x1 = _mm256_set1_ps(boxes.x1[at]);
  const __m256 y1 = _mm256_set1_ps(boxes.y1[at]);
  const __m256 x2 = _mm256_set1_ps(boxes.x2[at]);
  const __m256 y2 = _mm256_set1_ps(boxes.y2[at]);
  const __m256 area = _mm256_set1_ps(boxes.area[at]);
  const __m256 limit = _mm256_set1_ps(threshold);
  const __m256 zero = _mm256_setzero_ps();
  std::int64_t j = first;
  for (; j + 8 <= count; j += 8) {
    // max(a, b) gives b when either is NaN, min(a, b) too: as the conditional expressions of the plain loop do.
    const __m256 left = _mm256_max_ps(_mm256_loadu_ps(boxes.x1.data() + j), x1);
    const __m256 top = _mm256_max_ps(_mm256_loadu_ps(boxes.y1.data() + j), y1);
    const __m256 right = _mm256_min_ps(_mm256_loadu_ps(boxes.x2.data() + j), x2);
    const __m256 bottom = _mm256_min_ps(_mm256_loadu_ps(boxes.y2.data() + j), y2);
    const __m256 width = _mm256_max_ps(_mm256_sub_ps(right, left), zero);
    const __m256 height = _mm256_max_ps(_mm256_sub_ps(bottom, top), zero);
    const __m256 intersection = _mm256_mul_ps(width, height);
    const __m256 both = _mm256_sub_ps(_mm256_add_ps(area, _mm256_loadu_ps(boxes.area.data() + j)), intersection);
    const __m256 over = _mm256_cmp_ps(_mm256_div_ps(intersection, both), limit, _CMP_GT_OQ);
    auto bits = static_cast<unsigned>(_mm256_movemask_ps(over));
    for (; bits != 0; bits &= bits - 1) boxes.dropped[static_cast<std::size_t>(j + __builtin_ctz(bits))] = 1;
  }
  drop_overlapping(boxes, kept, j, count, threshold);
}
#endif

template <typename T>
auto choose_drop() {
#if NONGEMM_HAS_AVX2_VERSION
  if constexpr (std::is_same_v<T, float>) {
    if (runs_avx2()) return &drop_avx2;
  }
#endif
  return &drop_plain<T>;
}

/// The greatest T that is not above `threshold`: comparing with it gives what comparing in double gives.
template <typename T>
T round_down(double threshold) {
  T rounded = static_cast<T>(threshold);
  if (static_cast<double>(rounded) > threshold) {
    rounded = std::nextafter(rounded, -std::numeric_limits<T>::infinity());
  }
  return rounded;
}

}  // namespace

template <typename T>
std::vector<std::int64_t> suppress(const T* boxes, const std::int64_t* order, std::int64_t count, double threshold,
                                   const InParts& in_parts) {
  const auto size = static_cast<std::size_t>(count);
  SortedBoxes<T> sorted;
  for (std::vector<T>* array : {&sorted.x1, &sorted.y1, &sorted.x2, &sorted.y2, &sorted.area}) array->resize(size);
  sorted.dropped.assign(size, 0);
  for (std::size_t i = 0; i < size; ++i) {
    const T* box = boxes + 4 * order[i];
    sorted.x1[i] = box[0];
    sorted.y1[i] = box[1];
    sorted.x2[i] = box[2];
    sorted.y2[i] = box[3];
    sorted.area[i] = (box[2] - box[0]) * (box[3] - box[1]);
  }
  const auto drop = choose_drop<T>();
  const T limit = round_down<T>(threshold);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < count; ++i) {
    if (sorted.dropped[static_cast<std::size_t>(i)] != 0) continue;
    kept.push_back(order[i]);
    if (count - i - 1 < kMostAlone || !in_parts) {
      drop(sorted, i, i + 1, count, limit);
    } else {
      in_parts(i + 1, count, [&](std::int64_t begin, std::int64_t end) { drop(sorted, i, begin, end, limit); });
    }
  }
  return kept;
}

namespace {

/// One sampling point of every bin: the four cells it lies between and their weights.
template <typename T>
struct Samples {
  std::vector<std::int32_t> cells[4];
  std::vector<T> weights[4];

  explicit Samples(std::size_t count) {
    for (auto& array : cells) array.assign(count, 0);
    for (auto& array : weights) array.assign(count, T(0));
  }
};

template <typename T>
void place(const RoiAlignShape& shape, T y, T x, std::size_t bin, Samples<T>& samples) {
  const auto height = static_cast<T>(shape.height);
  const auto width = static_cast<T>(shape.width);
  if (!(y >= T(-1) && y <= height && x >= T(-1) && x <= width)) return;  // outside: weights stay 0
  y = std::max(y, T(0));
  x = std::max(x, T(0));
  auto top = static_cast<std::int64_t>(y);
  auto left = static_cast<std::int64_t>(x);
  std::int64_t bottom = top + 1;
  std::int64_t right = left + 1;
  if (top >= shape.height - 1) {
    top = bottom = shape.height - 1;
    y = static_cast<T>(top);
  }
  if (left >= shape.width - 1) {
    left = right = shape.width - 1;
    x = static_cast<T>(left);
  }
  const T down = y - static_cast<T>(top);
  const T across = x - static_cast<T>(left);
  const T up = T(1) - down;
  const T back = T(1) - across;
  const std::int64_t cells[4] = {top * shape.width + left, top * shape.width + right, bottom * shape.width + left,
                                 bottom * shape.width + right};
  const T weights[4] = {up * back, up * across, down * back, down * across};
  for (int k = 0; k < 4; ++k) {
    samples.cells[k][bin] = static_cast<std::int32_t>(cells[k]);
    samples.weights[k][bin] = weights[k];
  }
}

template <typename T>
void add_sample(const Samples<T>& samples, const T* plane, std::size_t first, std::size_t count, T* sums) {
  for (std::size_t i = first; i < count; ++i) {
    sums[i] += samples.weights[0][i] * plane[samples.cells[0][i]] + samples.weights[1][i] * plane[samples.cells[1][i]] +
               samples.weights[2][i] * plane[samples.cells[2][i]] + samples.weights[3][i] * plane[samples.cells[3][i]];
  }
}

template <typename T>
void add_sample_plain(const Samples<T>& samples, const T* plane, std::size_t count, T* sums) {
  add_sample(samples, plane, 0, count, sums);
}

#if NONGEMM_HAS_AVX2_VERSION
NONGEMM_TARGET_AVX2 void add_sample_avx2(const Samples<float>& samples, const float* plane, std::size_t count,
                                         float* sums) {
  const auto term = [&](int k, std::size_t i) NONGEMM_TARGET_AVX2 {
    const __m256i cells = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(samples.cells[k].data() + i));
    return _mm256_mul_ps(_mm256_loadu_ps(samples.weights[k].data() + i), _mm256_i32gather_ps(plane, cells, 4));
  };
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 sum = _mm256_add_ps(term(0, i), term(1, i));
    sum = _mm256_add_ps(sum, term(2, i));
    sum = _mm256_add_ps(sum, term(3, i));
    _mm256_storeu_ps(sums + i, _mm256_add_ps(_mm256_loadu_ps(sums + i), sum));
  }
  add_sample(samples, plane, i, count, sums);
}
#endif

template <typename T>
auto choose_add() {
#if NONGEMM_HAS_AVX2_VERSION
  if constexpr (std::is_same_v<T, float>) {
    if (runs_avx2()) return &add_sample_avx2;
  }
#endif
  return &add_sample_plain<T>;
}

}  // namespace

template <typename T>
void roi_align_one(const RoiAlignShape& shape, const T* image, const T* box, T* out) {
  const T scale = static_cast<T>(shape.spatial_scale);
  const T offset = shape.aligned ? T(0.5) : T(0);
  const T start_x = box[0] * scale - offset;
  const T start_y = box[1] * scale - offset;
  const T end_x = box[2] * scale - offset;
  const T end_y = box[3] * scale - offset;
  T roi_width = end_x - start_x;
  T roi_height = end_y - start_y;
  if (!shape.aligned) {
    roi_width = std::max(roi_width, T(1));
    roi_height = std::max(roi_height, T(1));
  }
  const T bin_height = roi_height / static_cast<T>(shape.pooled_height);
  const T bin_width = roi_width / static_cast<T>(shape.pooled_width);
  // A box turned inside out has no samples and gives zeros, as in the original; neither has one without numbers.
  const auto side = [&](T bin) -> std::int64_t {
    if (shape.sampling_ratio > 0) return shape.sampling_ratio;
    constexpr T kMost = T(1 << 30);
    return bin > T(0) ? static_cast<std::int64_t>(std::min(std::ceil(bin), kMost)) : 0;
  };
  const std::int64_t rows = side(bin_height);
  const std::int64_t columns = side(bin_width);
  const T count = static_cast<T>(std::max<std::int64_t>(rows * columns, 1));

  const auto bins = static_cast<std::size_t>(shape.pooled_height * shape.pooled_width);
  const auto channel_bins = static_cast<std::size_t>(shape.channels) * bins;
  const std::int64_t plane = shape.height * shape.width;
  const auto add = choose_add<T>();
  std::fill_n(out, channel_bins, T(0));
  // A box far larger than the image has any number of samples: they are placed and added up by parts.
  constexpr std::size_t kMostPlaced = 1024;
  std::vector<Samples<T>> grid;
  const auto add_placed = [&] {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      T* sums = out + static_cast<std::size_t>(c) * bins;
      for (const Samples<T>& samples : grid) add(samples, image + c * plane, bins, sums);
    }
    grid.clear();
  };
  for (std::int64_t iy = 0; iy < rows; ++iy) {
    for (std::int64_t ix = 0; ix < columns; ++ix) {
      if (grid.size() == kMostPlaced) add_placed();
      Samples<T>& samples = grid.emplace_back(bins);
      for (std::int64_t ph = 0; ph < shape.pooled_height; ++ph) {
        const T y = start_y + static_cast<T>(ph) * bin_height +
                    (static_cast<T>(iy) + T(0.5)) * bin_height / static_cast<T>(rows);
        for (std::int64_t pw = 0; pw < shape.pooled_width; ++pw) {
          const T x = start_x + static_cast<T>(pw) * bin_width +
                      (static_cast<T>(ix) + T(0.5)) * bin_width / static_cast<T>(columns);
          place(shape, y, x, static_cast<std::size_t>(ph * shape.pooled_width + pw), samples);
        }
      }
    }
  }
  add_placed();
  for (std::size_t i = 0; i < channel_bins; ++i) out[i] /= count;
}

template std::vector<std::int64_t> suppress<float>(const float*, const std::int64_t*, std::int64_t, double,
                                                   const InParts&);
template std::vector<std::int64_t> suppress<double>(const double*, const std::int64_t*, std::int64_t, double,
                                                    const InParts&);
template void roi_align_one<float>(const RoiAlignShape&, const float*, const float*, float*);
template void roi_align_one<double>(const RoiAlignShape&, const double*, const double*, double*);

}  // namespace nongemm::torch_flow
