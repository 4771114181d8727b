#include "verify/detection_order.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace nongemm {
namespace {

/// One image's detections; false when they are not all there.
struct ImageDetections {
  const HostTensor* boxes;
  const HostTensor* labels;
  const HostTensor* scores;

  ImageDetections(const NamedTensors& tensors, const std::string& image)
      : boxes(find_tensor(tensors, image + ".boxes")),
        labels(find_tensor(tensors, image + ".labels")),
        scores(find_tensor(tensors, image + ".scores")) {}

  bool complete() const {
    return boxes != nullptr && labels != nullptr && scores != nullptr && boxes->dtype == DType::kFloat32 &&
           labels->dtype == DType::kInt64 && scores->dtype == DType::kFloat32 && scores->shape.size() == 1 &&
           labels->shape == scores->shape && boxes->shape == Shape{scores->shape[0], 4};
  }
  std::size_t count() const { return static_cast<std::size_t>(scores->shape[0]); }
};

/// Sum of the differences of the corners; infinite for another label.
double distance(const ImageDetections& a, std::size_t i, const ImageDetections& b, std::size_t j) {
  if (a.labels->as<std::int64_t>()[i] != b.labels->as<std::int64_t>()[j]) return INFINITY;
  double sum = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    sum += std::abs(static_cast<double>(a.boxes->as<float>()[4 * i + k]) - b.boxes->as<float>()[4 * j + k]);
  }
  return sum;
}

/// For each place the row of ours that belongs there.
std::vector<std::size_t> order_of(const ImageDetections& ours, const ImageDetections& wanted) {
  std::vector<std::size_t> order(ours.count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const float* scores = wanted.scores->as<float>();
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && scores[end] == scores[begin]) ++end;
    for (std::size_t place = begin; place < end; ++place) {
      const auto nearest =
          std::min_element(order.begin() + static_cast<std::ptrdiff_t>(place),
                           order.begin() + static_cast<std::ptrdiff_t>(end), [&](std::size_t a, std::size_t b) {
                             return distance(ours, a, wanted, place) < distance(ours, b, wanted, place);
                           });
      std::iter_swap(order.begin() + static_cast<std::ptrdiff_t>(place), nearest);
    }
    begin = end;
  }
  return order;
}

HostTensor rows_in_order(const HostTensor& tensor, const std::vector<std::size_t>& order) {
  auto [result, bytes] = HostTensor::allocate(tensor.dtype, tensor.shape);
  const std::size_t row = order.empty() ? 0 : tensor.byte_size() / order.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::memcpy(bytes + i * row, tensor.data.get() + order[i] * row, row);
  }
  return result;
}

}  // namespace

NamedTensors in_reference_order(NamedTensors outputs, const NamedTensors& references) {
  for (std::size_t image = 0;; ++image) {
    const std::string prefix = std::to_string(image);
    const ImageDetections ours(outputs, prefix);
    const ImageDetections wanted(references, prefix);
    if (!ours.complete() || !wanted.complete()) break;
    if (ours.count() != wanted.count()) continue;
    const std::vector<std::size_t> order = order_of(ours, wanted);
    for (auto& [name, tensor] : outputs) {
      const bool of_image = name.starts_with(prefix + ".");
      if (of_image && !tensor.shape.empty() && tensor.shape[0] == static_cast<std::int64_t>(order.size())) {
        tensor = rows_in_order(tensor, order);
      }
    }
  }
  return outputs;
}

}  // namespace nongemm
