// ResNet of transformers: ResNetForImageClassification, ResNetModel.
#include <array>

#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"
#include "models/vision/resnet.h"

namespace nongemm {
namespace {

struct ResNetOutputs {
  Tensor map, pooled;
};

/// ResNetModel in scope.
ResNetOutputs body(Builder& b, const Config& config, const Tensor& pixels) {
  const NormLayer norm = [](Builder& builder, const std::string& name, const Tensor& x) {
    return batch_norm_2d(builder, name, x);
  };
  const Tensor map = hf_resnet_stages(b, config, pixels, norm).back();
  const auto pooler = b.scope("pooler", "AdaptiveAvgPool2d");
  return {map, b.call("aten.adaptive_avg_pool2d.default", {map, Shape{1, 1}})};
}

Graph build(const Config& config, const ModelOptions& options) {
  constexpr std::int64_t kUsualSide = 224;
  Builder b("resnet", options.dtype);
  b.graph().checkpoint_rules = {.ignored = {"*.num_batches_tracked"}, .optional_prefixes = {"resnet."}, .renames = {}};
  const Tensor pixels = pixel_values(b, options, config.positive("num_channels", 3), {kUsualSide, kUsualSide});
  if (built_class(hf_resnet_architecture(), config) == "ResNetModel") {
    const ResNetOutputs outputs = body(b, config, pixels);
    b.output("last_hidden_state", outputs.map);
    b.output("pooler_output", outputs.pooled);
    return b.finish();
  }
  Tensor x;
  {
    const auto scope = b.scope("resnet", "ResNetModel");
    x = body(b, config, pixels).pooled;
  }
  const auto classifier = b.scope("classifier", "Sequential");
  {
    const auto flat = b.scope("0", "Flatten");
    x = fn::flatten(x, 1);
  }
  b.output("logits", nn::linear(b, "1", x, config.labels()));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "resnet50",
             .title = "ResNet-50 (transformers)",
             .config = R"({"num_labels": 1000})",
             .parameters = 25557032,
             .height = 224,
             .width = 224},
    ModelRow{.name = "resnet18",
             .title = "ResNet-18 (transformers)",
             .config = R"({"num_labels": 1000, "layer_type": "basic", "depths": [2, 2, 2, 2],
                           "hidden_sizes": [64, 128, 256, 512]})",
             .parameters = 11689512,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& hf_resnet_architecture() {
  static const Architecture kArchitecture = {.model_type = "resnet",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "ResNetForImageClassification",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"ResNetModel"}};
  return kArchitecture;
}

}  // namespace nongemm
