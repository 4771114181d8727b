#include "models/detection/fpn.h"

#include <cmath>
#include <string>

#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

Tensor biased_conv(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, std::int64_t kernel,
                   double deviation) {
  const auto scope = b.scope(name, "Conv2d");
  const Tensor weight = b.parameter("weight", {out, x.size(1), kernel, kernel}, InitSpec::normal(0, deviation));
  const Tensor bias = b.parameter("bias", {out}, InitSpec::constant(0));
  return conv2d(x, weight, bias, {1, 1}, {kernel / 2, kernel / 2});
}

namespace {

/// Keeps the variance of its input (Kaiming, linear).
Tensor pyramid_conv(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, std::int64_t kernel) {
  return biased_conv(b, name + ".0", x, out, kernel, 1.0 / std::sqrt(static_cast<double>(x.size(1) * kernel * kernel)));
}

}  // namespace

std::vector<Tensor> feature_pyramid(Builder& b, const std::vector<Tensor>& features, std::int64_t channels) {
  std::vector<Tensor> maps(features.size());
  Tensor coarser;
  for (std::size_t i = features.size(); i-- > 0;) {
    const std::string index = std::to_string(i);
    Tensor inner = pyramid_conv(b, "inner_blocks." + index, features[i], channels, 1);
    if (coarser) {
      const Tensor resized = b.call("aten.upsample_nearest2d.vec", {coarser, Shape{inner.size(2), inner.size(3)}});
      inner = add(inner, resized);
    }
    coarser = inner;
    maps[i] = pyramid_conv(b, "layer_blocks." + index, inner, channels, 3);
  }
  const auto extra = b.scope("extra_blocks", "LastLevelMaxPool");
  maps.push_back(
      b.call("aten.max_pool2d.default", {maps.back(), Shape{1, 1}, Shape{2, 2}, Shape{0, 0}, Shape{1, 1}, false}));
  return maps;
}

}  // namespace nongemm
