#include "flows/torch/roi/roi_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <torch/library.h>

#include "flows/device/device.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"

namespace nongemm::torch_flow {
namespace {

/// Boxes in the order of falling scores, a bit mask of their overlaps, one walk through it, and the survivors'
/// indices: torchvision's steps, the wait for the number of survivors included.
at::Tensor nms(const at::Tensor& dets, const at::Tensor& scores, double iou_threshold) {
  TORCH_CHECK(dets.dim() == 2 && dets.size(1) == 4, "boxes should be [N, 4], got ", dets.sizes());
  TORCH_CHECK(scores.dim() == 1 && scores.size(0) == dets.size(0), "there should be one score per box, got ",
              scores.sizes(), " for ", dets.sizes());
  const std::int64_t count = dets.size(0);
  if (count == 0) return at::empty({0}, dets.options().dtype(at::kLong));
  device::Library& library = device::library();
  const at::Tensor order = std::get<1>(at::sort(scores, /*stable=*/true, /*dim=*/0, /*descending=*/true));
  const at::Tensor sorted = dets.index_select(0, order).contiguous();
  const at::Tensor keep = at::empty({count}, dets.options().dtype(at::kBool));
  const at::Tensor scratch = at::empty({library.nms_scratch_bytes(count)}, dets.options().dtype(at::kByte));
  device::NmsArguments arguments;
  arguments.boxes = sorted.const_data_ptr();
  arguments.dtype = from_torch(sorted.scalar_type());
  arguments.count = count;
  arguments.iou_threshold = iou_threshold;
  arguments.keep = static_cast<std::uint8_t*>(keep.mutable_data_ptr());
  arguments.scratch = scratch.mutable_data_ptr();
  library.nms(arguments, current_stream(dets.device()));
  return order.masked_select(keep);
}

at::Tensor roi_align(const at::Tensor& input, const at::Tensor& rois, double spatial_scale, c10::SymInt pooled_height,
                     c10::SymInt pooled_width, std::int64_t sampling_ratio, bool aligned) {
  TORCH_CHECK(input.dim() == 4, "the input should be [N, C, H, W], got ", input.sizes());
  TORCH_CHECK(rois.dim() == 2 && rois.size(1) == 5, "regions should be [K, 5], got ", rois.sizes());
  TORCH_CHECK(input.scalar_type() == rois.scalar_type(), "input and regions should have one type");
  TORCH_CHECK(input.size(2) * input.size(3) < (std::int64_t{1} << 31), "the feature map is too large");
  const at::Tensor image = input.contiguous();
  const at::Tensor regions = rois.contiguous();
  device::RoiAlignArguments arguments;
  arguments.channels = image.size(1);
  arguments.height = image.size(2);
  arguments.width = image.size(3);
  arguments.count = regions.size(0);
  arguments.pooled_height = pooled_height.expect_int();
  arguments.pooled_width = pooled_width.expect_int();
  TORCH_CHECK(arguments.pooled_height > 0 && arguments.pooled_width > 0, "the pooled size should be positive");
  arguments.sampling_ratio = sampling_ratio;
  arguments.spatial_scale = spatial_scale;
  arguments.aligned = aligned;
  arguments.dtype = from_torch(image.scalar_type());
  const at::Tensor output = at::empty(
      {arguments.count, arguments.channels, arguments.pooled_height, arguments.pooled_width}, image.options());
  arguments.input = image.const_data_ptr();
  arguments.rois = regions.const_data_ptr();
  arguments.output = output.mutable_data_ptr();
  device::library().roi_align(arguments, current_stream(image.device()));
  return output;
}

/// An operator that is defined and has no CUDA kernel yet.
bool wants_kernel(const char* name) {
  const auto op = c10::Dispatcher::singleton().findSchema({name, ""});
  return op.has_value() && !op->hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

}  // namespace

void register_cuda_roi_operators() {
  static torch::Library library(torch::Library::IMPL, "torchvision", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  if (wants_kernel("torchvision::nms")) library.impl("nms", torch::CppFunction::makeFromUnboxedFunction(nms));
  if (wants_kernel("torchvision::roi_align")) {
    library.impl("roi_align", torch::CppFunction::makeFromUnboxedFunction(roi_align));
  }
}

}  // namespace nongemm::torch_flow
