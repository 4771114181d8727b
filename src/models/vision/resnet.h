// ResNet feature extractors, in the three forms the models use: torchvision's and timm's (one layout, other module
// names) and Hugging Face's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/config.h"
#include "ops/builder.h"

namespace nongemm {

/// A normalization module: its name in the parent, its input [n, c, h, w].
using NormLayer = std::function<Tensor(Builder& builder, const std::string& name, const Tensor& x)>;

/// nn.BatchNorm2d in inference.
Tensor batch_norm_2d(Builder& builder, const std::string& name, const Tensor& x, double epsilon = 1e-5);
/// torchvision.ops.FrozenBatchNorm2d: batch normalization with fixed statistics, as eleven operators.
Tensor frozen_batch_norm_2d(Builder& builder, const std::string& name, const Tensor& x, double epsilon = 1e-5);
/// transformers' DetrFrozenBatchNorm2d: the same operators.
Tensor detr_frozen_batch_norm_2d(Builder& builder, const std::string& name, const Tensor& x);

/// torchvision's or timm's ResNet without its classifier.
struct ResNet {
  enum class Names : std::uint8_t { kTorchvision, kTimm };

  Names names = Names::kTorchvision;
  bool bottleneck = true;
  std::vector<std::int64_t> layers = {3, 4, 6, 3};
  /// Width of each stage before the bottleneck's expansion by 4.
  std::vector<std::int64_t> planes = {64, 128, 256, 512};
  std::int64_t width_per_group = 64;
  /// Pixels per cell of the last stage; less than 32 turns strides into dilations (timm).
  std::int64_t output_stride = 32;
  /// What comes after it is left out, as timm does where nobody asks for it; 0 is the stem.
  std::size_t last_stage = 4;

  /// timm's "resnet50" and its sizes. Throws Error(kUnsupported) for any other name.
  static ResNet timm(const std::string& name);
};

/// Feature maps of the stem (before its pooling) and of layer1 to layer4, or to the last stage. image: [n, channels, h,
/// w]
std::vector<Tensor> resnet_features(Builder& builder, const ResNet& model, const Tensor& image, const NormLayer& norm);

/// transformers' ResNetModel without its pooler: the maps of the stem and of all stages. `config` is its configuration.
std::vector<Tensor> hf_resnet_stages(Builder& builder, const Config& config, const Tensor& image,
                                     const NormLayer& norm);

/// transformers' ResNetBackbone: one feature map per out_features, in the order of the stages. `config` is its own
/// configuration.
std::vector<Tensor> hf_resnet_features(Builder& builder, const Config& config, const Tensor& image,
                                       const NormLayer& norm);

}  // namespace nongemm
