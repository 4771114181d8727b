// Non-maximum suppression and RoIAlign on the CPU, with the semantics of torchvision 0.26: the inner loops, on plain
// memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace nongemm::torch_flow {

/// Calls the body with parts of [begin, end), on several threads or not.
using InParts = std::function<void(std::int64_t begin, std::int64_t end,
                                   const std::function<void(std::int64_t begin, std::int64_t end)>& body)>;

/// Greedy suppression. boxes: [count, 4] (x1, y1, x2, y2), contiguous; order: box indices by falling score.
/// A box is dropped when its intersection over union with a kept one is greater than `threshold`.
/// Returns the kept indices in the order of their scores.
/// @param in_parts how the boxes behind a kept one are gone through; by the calling thread alone when empty
template <typename T>
std::vector<std::int64_t> suppress(const T* boxes, const std::int64_t* order, std::int64_t count, double threshold,
                                   const InParts& in_parts = {});

struct RoiAlignShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t pooled_height = 0;
  std::int64_t pooled_width = 0;
  double spatial_scale = 1.0;
  /// Samples per bin and side; 0 or less: as many as the bin has cells.
  std::int64_t sampling_ratio = -1;
  /// Boxes are shifted by half a cell and may be smaller than one.
  bool aligned = false;
};

/// One region. image: [channels, height, width] of the region's image; box: x1, y1, x2, y2 in image coordinates;
/// out: [channels, pooled_height, pooled_width].
template <typename T>
void roi_align_one(const RoiAlignShape& shape, const T* image, const T* box, T* out);

}  // namespace nongemm::torch_flow
