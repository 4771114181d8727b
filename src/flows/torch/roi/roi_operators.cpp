#include "flows/torch/roi/roi_operators.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <cstring>

#include "base/error.h"
#include "flows/torch/roi/roi_kernels.h"

namespace nongemm::torch_flow {
namespace {

/// Half precision is computed in float: boxes need its digits.
at::ScalarType computed_in(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

at::Tensor nms(const at::Tensor& dets, const at::Tensor& scores, double iou_threshold) {
  TORCH_CHECK(dets.dim() == 2 && dets.size(1) == 4, "boxes should be [N, 4], got ", dets.sizes());
  TORCH_CHECK(scores.dim() == 1 && scores.size(0) == dets.size(0), "there should be one score per box, got ",
              scores.sizes(), " for ", dets.sizes());
  const at::Tensor boxes = dets.to(computed_in(dets)).contiguous();
  const at::Tensor order = std::get<1>(at::sort(scores, /*stable=*/true, /*dim=*/0, /*descending=*/true)).contiguous();
  std::vector<std::int64_t> kept;
  const InParts in_parts = [](std::int64_t begin, std::int64_t end, const auto& body) {
    constexpr std::int64_t kLeastPart = 4096;
    at::parallel_for(begin, end, kLeastPart, body);
  };
  AT_DISPATCH_FLOATING_TYPES(boxes.scalar_type(), "nms", [&] {
    kept = suppress<scalar_t>(boxes.const_data_ptr<scalar_t>(), order.const_data_ptr<std::int64_t>(), boxes.size(0),
                              iou_threshold, in_parts);
  });
  at::Tensor result = at::empty({static_cast<std::int64_t>(kept.size())}, dets.options().dtype(at::kLong));
  if (!kept.empty()) std::memcpy(result.mutable_data_ptr(), kept.data(), kept.size() * sizeof(std::int64_t));
  return result;
}

at::Tensor roi_align(const at::Tensor& input, const at::Tensor& rois, double spatial_scale, c10::SymInt pooled_height,
                     c10::SymInt pooled_width, std::int64_t sampling_ratio, bool aligned) {
  TORCH_CHECK(input.dim() == 4, "the input should be [N, C, H, W], got ", input.sizes());
  TORCH_CHECK(rois.dim() == 2 && rois.size(1) == 5, "regions should be [K, 5], got ", rois.sizes());
  TORCH_CHECK(input.scalar_type() == rois.scalar_type(), "input and regions should have one type");
  RoiAlignShape shape;
  shape.channels = input.size(1);
  shape.height = input.size(2);
  shape.width = input.size(3);
  shape.pooled_height = pooled_height.expect_int();
  shape.pooled_width = pooled_width.expect_int();
  shape.spatial_scale = spatial_scale;
  shape.sampling_ratio = sampling_ratio;
  shape.aligned = aligned;
  TORCH_CHECK(shape.pooled_height > 0 && shape.pooled_width > 0, "the pooled size should be positive");
  TORCH_CHECK(shape.height * shape.width < (std::int64_t{1} << 31), "the feature map is too large");

  const at::Tensor image = input.to(computed_in(input)).contiguous();
  const at::Tensor boxes = rois.to(computed_in(input)).contiguous();
  const std::int64_t count = boxes.size(0);
  at::Tensor result = at::empty({count, shape.channels, shape.pooled_height, shape.pooled_width}, image.options());
  if (result.numel() > 0) {
    AT_DISPATCH_FLOATING_TYPES(image.scalar_type(), "roi_align", [&] {
      const scalar_t* pixels = image.const_data_ptr<scalar_t>();
      const scalar_t* regions = boxes.const_data_ptr<scalar_t>();
      scalar_t* out = result.mutable_data_ptr<scalar_t>();
      const std::int64_t image_size = shape.channels * shape.height * shape.width;
      const std::int64_t out_size = shape.channels * shape.pooled_height * shape.pooled_width;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto index = static_cast<std::int64_t>(regions[5 * i]);
        TORCH_CHECK(index >= 0 && index < image.size(0), "region ", i, " names image ", index, " of ", image.size(0));
      }
      at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const auto index = static_cast<std::int64_t>(regions[5 * i]);
          roi_align_one<scalar_t>(shape, pixels + index * image_size, regions + 5 * i + 1, out + i * out_size);
        }
      });
    });
  }
  return result.to(input.scalar_type());
}

}  // namespace

void register_roi_operators() {
  if (c10::Dispatcher::singleton().findSchema({"torchvision::nms", ""})) return;
  static torch::Library library = [] {
    torch::Library fragment(torch::Library::FRAGMENT, "torchvision", std::nullopt, __FILE__, __LINE__);
    fragment.def("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor");
    fragment.def(
        "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
        "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor");
    fragment.impl("nms", c10::DispatchKey::CPU, torch::CppFunction::makeFromUnboxedFunction(nms));
    fragment.impl("roi_align", c10::DispatchKey::CPU, torch::CppFunction::makeFromUnboxedFunction(roi_align));
    return fragment;
  }();
}

void load_torchvision(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    const std::string message = dlerror();
    for (const char* python :
         {"libpython3.12.so.1.0", "libpython3.11.so.1.0", "libpython3.13.so.1.0", "libpython3.10.so.1.0"}) {
      if (dlopen(python, RTLD_NOW | RTLD_GLOBAL) == nullptr) continue;
      library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
      if (library != nullptr) return;
    }
    throw Error(ErrorKind::kUnsupported, "torchvision's operators cannot be loaded from " + path + ": " + message,
                "leave it out: the project's own operators take its place");
  }
}

}  // namespace nongemm::torch_flow
