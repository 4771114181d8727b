#include "models/vision/resnet.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

namespace {

struct Statistics {
  Tensor weight, bias, mean, variance;
};

/// Of a frozen batch norm all four are buffers.
Statistics statistics(Builder& b, std::int64_t channels, bool frozen) {
  const auto learned = [&](const char* name, double value) {
    const InitSpec init = InitSpec::constant(value);
    return frozen ? b.buffer(name, b.dtype(), {channels}, init) : b.parameter(name, {channels}, init);
  };
  Statistics s;
  s.weight = learned("weight", 1);
  s.bias = learned("bias", 0);
  s.mean = b.buffer("running_mean", b.dtype(), {channels}, InitSpec::constant(0));
  s.variance = b.buffer("running_var", b.dtype(), {channels}, InitSpec::constant(1));
  return s;
}

}  // namespace

Tensor batch_norm_2d(Builder& b, const std::string& name, const Tensor& x, double epsilon) {
  const auto scope = b.scope(name, "BatchNorm2d");
  const Statistics s = statistics(b, x.size(1), false);
  return b.call("aten.batch_norm.default", {x, s.weight, s.bias, s.mean, s.variance, false, 0.1, epsilon, true});
}

namespace {

Tensor frozen(Builder& b, const std::string& name, const char* type, const Tensor& x, double epsilon) {
  const auto scope = b.scope(name, type);
  const Statistics s = statistics(b, x.size(1), true);
  const Shape column = {1, -1, 1, 1};
  const Tensor weight = reshape(s.weight, column);
  const Tensor bias = reshape(s.bias, column);
  const Tensor variance = reshape(s.variance, column);
  const Tensor mean = reshape(s.mean, column);
  const Tensor scale = mul(weight, rsqrt(add(variance, epsilon)));
  const Tensor shift = sub(bias, mul(mean, scale));
  return add(mul(x, scale), shift);
}

}  // namespace

Tensor frozen_batch_norm_2d(Builder& b, const std::string& name, const Tensor& x, double epsilon) {
  return frozen(b, name, "FrozenBatchNorm2d", x, epsilon);
}

Tensor detr_frozen_batch_norm_2d(Builder& b, const std::string& name, const Tensor& x) {
  return frozen(b, name, "DetrFrozenBatchNorm2d", x, 1e-5);
}

namespace {

/// The last normalization of a residual branch. Its synthetic weights are small, so that the sum of many branches stays
/// of the order of one, as trained networks keep it.
Tensor damped_norm(Builder& b, const NormLayer& norm, const std::string& name, const Tensor& x) {
  constexpr double kGain = 0.25;
  const std::size_t first = b.graph().weights.size();
  const Tensor y = norm(b, name, x);
  for (std::size_t i = first; i < b.graph().weights.size(); ++i) {
    Weight& weight = b.graph().weights[i];
    if (weight.name.ends_with(".weight")) weight.init = InitSpec::constant(kGain);
  }
  return y;
}

/// A convolution without bias and its normalization; synthetic weights keep the variance (He et al. 2015).
Tensor conv(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, std::int64_t kernel,
            std::int64_t stride, std::int64_t padding, std::int64_t dilation = 1) {
  const auto scope = b.scope(name, "Conv2d");
  const double deviation = std::sqrt(2.0 / static_cast<double>(x.size(1) * kernel * kernel));
  const Tensor weight = b.parameter("weight", {out, x.size(1), kernel, kernel}, InitSpec::normal(0, deviation));
  return conv2d(x, weight, {}, {stride, stride}, {padding, padding}, {dilation, dilation});
}

Tensor rectify(Builder& b, const std::string& name, const Tensor& x) {
  const auto scope = b.scope(name, "ReLU");
  return relu_(x);
}

Tensor max_pool(Builder& b, const std::string& name, const Tensor& x) {
  const auto scope = b.scope(name, "MaxPool2d");
  return b.call("aten.max_pool2d.default", {x, Shape{3, 3}, Shape{2, 2}, Shape{1, 1}, Shape{1, 1}, false});
}

struct BlockShape {
  std::int64_t planes, out, stride;
  /// Of the stage, and of the convolution with the stride: in a stage's first block that of the stage before.
  std::int64_t dilation, first_dilation;
};

Tensor residual_block(Builder& b, const ResNet& model, const std::string& name, const Tensor& input,
                      const BlockShape& shape, bool project, const NormLayer& norm) {
  const auto scope = b.scope(name, model.bottleneck ? "Bottleneck" : "BasicBlock");
  const bool timm = model.names == ResNet::Names::kTimm;
  const auto act = [&](int i, const Tensor& x) {
    return rectify(b, timm ? "act" + std::to_string(i) : std::string("relu"), x);
  };
  Tensor x = input;
  int last = 2;
  if (model.bottleneck) {
    const std::int64_t width = shape.planes * model.width_per_group / 64;
    x = act(1, norm(b, "bn1", conv(b, "conv1", x, width, 1, 1, 0)));
    x = act(2, norm(b, "bn2", conv(b, "conv2", x, width, 3, shape.stride, shape.first_dilation, shape.first_dilation)));
    x = damped_norm(b, norm, "bn3", conv(b, "conv3", x, shape.out, 1, 1, 0));
    last = 3;
  } else {
    x = act(1, norm(b, "bn1",
                    conv(b, "conv1", x, shape.planes, 3, shape.stride, shape.first_dilation, shape.first_dilation)));
    x = damped_norm(b, norm, "bn2", conv(b, "conv2", x, shape.planes, 3, 1, shape.dilation, shape.dilation));
  }
  Tensor shortcut = input;
  if (project) {
    const auto down = b.scope("downsample", "Sequential");
    shortcut = norm(b, "1", conv(b, "0", input, shape.out, 1, shape.stride, 0));
  }
  return act(last, b.call("aten.add_.Tensor", {x, shortcut}));
}

}  // namespace

ResNet ResNet::timm(const std::string& name) {
  struct Row {
    std::string_view name;
    bool bottleneck;
    std::array<std::int64_t, 4> layers;
  };
  static constexpr std::array kRows = {
      Row{"resnet18", false, {2, 2, 2, 2}},  Row{"resnet26", true, {2, 2, 2, 2}},
      Row{"resnet34", false, {3, 4, 6, 3}},  Row{"resnet50", true, {3, 4, 6, 3}},
      Row{"resnet101", true, {3, 4, 23, 3}}, Row{"resnet152", true, {3, 8, 36, 3}},
  };
  std::vector<std::string> known;
  for (const Row& row : kRows) {
    if (row.name == name.substr(0, name.find('.'))) {  // "resnet50.a1_in1k" names the pretraining, too
      ResNet model;
      model.names = Names::kTimm;
      model.bottleneck = row.bottleneck;
      model.layers.assign(row.layers.begin(), row.layers.end());
      return model;
    }
    known.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUnsupported, "backbone '" + name + "' is not built in", did_you_mean(name, known));
}

std::vector<Tensor> resnet_features(Builder& b, const ResNet& model, const Tensor& image, const NormLayer& norm) {
  constexpr std::int64_t kStem = 64;
  Tensor x = norm(b, "bn1", conv(b, "conv1", image, kStem, 7, 2, 3));
  x = rectify(b, model.names == ResNet::Names::kTimm ? "act1" : "relu", x);
  std::vector<Tensor> features = {x};
  if (model.last_stage == 0) return features;
  x = max_pool(b, "maxpool", x);
  std::int64_t dilation = 1;
  std::int64_t pixels = 4;  // per cell of the feature map
  for (std::size_t stage = 0; stage < model.last_stage; ++stage) {
    const auto scope = b.scope("layer" + std::to_string(stage + 1), "Sequential");
    const std::int64_t planes = model.planes.at(stage);
    const std::int64_t out = model.bottleneck ? 4 * planes : planes;
    std::int64_t stride = stage == 0 ? 1 : 2;
    const std::int64_t first_dilation = dilation;
    if (pixels * stride > model.output_stride) {
      dilation *= stride;
      stride = 1;
    } else {
      pixels *= stride;
    }
    for (std::int64_t i = 0; i < model.layers[stage]; ++i) {
      const BlockShape shape = {planes, out, i == 0 ? stride : 1, dilation, i == 0 ? first_dilation : dilation};
      const bool project = i == 0 && (stride != 1 || x.size(1) != out);
      x = residual_block(b, model, std::to_string(i), x, shape, project, norm);
    }
    features.push_back(x);
  }
  return features;
}

namespace {

/// What the convolutions inside a layer take, whatever the configuration says of the activation.
constexpr const char* kInner = "relu";

/// ResNetConvLayer: convolution, normalization, activation (none when `act` is empty).
Tensor hf_conv(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, std::int64_t kernel,
               std::int64_t stride, const std::string& act, const NormLayer& norm) {
  const auto scope = b.scope(name, "ResNetConvLayer");
  const Tensor y = conv(b, "convolution", x, out, kernel, stride, kernel / 2);
  if (act.empty()) return damped_norm(b, norm, "normalization", y);
  return activation(norm(b, "normalization", y), act, "activation");
}

Tensor hf_layer(Builder& b, const std::string& name, const Tensor& input, std::int64_t out, std::int64_t stride,
                bool bottleneck, bool stride_first, const std::string& act, const NormLayer& norm) {
  const auto scope = b.scope(name, bottleneck ? "ResNetBottleNeckLayer" : "ResNetBasicLayer");
  Tensor x = input;
  {
    const auto layer = b.scope("layer", "Sequential");
    if (bottleneck) {
      const std::int64_t reduced = out / 4;
      x = hf_conv(b, "0", x, reduced, 1, stride_first ? stride : 1, kInner, norm);
      x = hf_conv(b, "1", x, reduced, 3, stride_first ? 1 : stride, kInner, norm);
      x = hf_conv(b, "2", x, out, 1, 1, "", norm);
    } else {
      x = hf_conv(b, "0", x, out, 3, stride, kInner, norm);
      x = hf_conv(b, "1", x, out, 3, 1, "", norm);
    }
  }
  Tensor shortcut = input;
  if (stride != 1 || input.size(1) != out) {
    const auto projection = b.scope("shortcut", "ResNetShortCut");
    shortcut = norm(b, "normalization", conv(b, "convolution", input, out, 1, stride, 0));
  }
  return activation(b.call("aten.add_.Tensor", {x, shortcut}), act, "activation");
}

/// Which of stem, stage1, ... are asked for: by name, by index, or the last one.
std::vector<std::size_t> asked_stages(const Config& config, std::size_t stages) {
  std::vector<std::size_t> asked;
  if (config.has("out_features")) {
    for (const std::string& name : config.texts("out_features")) {
      std::size_t stage = 0;
      while (stage <= stages && name != (stage == 0 ? "stem" : "stage" + std::to_string(stage))) ++stage;
      if (stage > stages) config.fail("out_features", "names no stage: '" + name + "'");
      asked.push_back(stage);
    }
  } else if (config.has("out_indices")) {
    for (const std::int64_t index : config.integers("out_indices")) {
      const std::int64_t stage = index < 0 ? index + static_cast<std::int64_t>(stages) + 1 : index;
      if (stage < 0 || stage > static_cast<std::int64_t>(stages)) config.fail("out_indices", "names no stage");
      asked.push_back(static_cast<std::size_t>(stage));
    }
  } else {
    asked.push_back(stages);
  }
  std::sort(asked.begin(), asked.end());  // the original returns maps in the order of its stages
  if (asked.empty()) config.fail("out_features", "is empty");
  return asked;
}

}  // namespace

std::vector<Tensor> hf_resnet_stages(Builder& b, const Config& config, const Tensor& image, const NormLayer& norm) {
  const std::vector<std::int64_t> depths = config.integers("depths", {3, 4, 6, 3});
  const std::vector<std::int64_t> widths = config.integers("hidden_sizes", {256, 512, 1024, 2048});
  if (depths.empty() || widths.size() != depths.size()) config.fail("hidden_sizes", "does not fit depths");
  for (std::size_t i = 0; i < depths.size(); ++i) {
    if (depths[i] < 1) config.fail("depths", "must be at least 1 each");
    if (widths[i] < 4) config.fail("hidden_sizes", "must be at least 4 each");
  }
  const std::string type = config.text("layer_type", "bottleneck");
  if (type != "bottleneck" && type != "basic") config.fail("layer_type", "is neither 'bottleneck' nor 'basic'");
  const bool stride_first = config.flag("downsample_in_bottleneck", false);
  const std::string act = config.text("hidden_act", "relu");

  std::vector<Tensor> maps;
  Tensor x = image;
  {
    const auto embedder = b.scope("embedder", "ResNetEmbeddings");
    x = hf_conv(b, "embedder", x, config.positive("embedding_size", 64), 7, 2, act, norm);
    x = max_pool(b, "pooler", x);
  }
  maps.push_back(x);
  const auto encoder = b.scope("encoder", "ResNetEncoder");
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    const auto scope = b.scope("stages." + std::to_string(stage) + ".layers", "ResNetStage");
    const std::int64_t stride = stage > 0 || config.flag("downsample_in_first_stage", false) ? 2 : 1;
    for (std::int64_t i = 0; i < depths[stage]; ++i) {
      x = hf_layer(b, std::to_string(i), x, widths[stage], i == 0 ? stride : 1, type == "bottleneck", stride_first, act,
                   norm);
    }
    maps.push_back(x);
  }
  return maps;
}

std::vector<Tensor> hf_resnet_features(Builder& b, const Config& config, const Tensor& image, const NormLayer& norm) {
  const std::vector<Tensor> maps = hf_resnet_stages(b, config, image, norm);
  std::vector<Tensor> features;
  for (const std::size_t stage : asked_stages(config, maps.size() - 1)) features.push_back(maps[stage]);
  return features;
}

}  // namespace nongemm
