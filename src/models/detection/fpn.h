// Feature pyramids (Lin et al. 2017) as torchvision builds them.
#pragma once

#include <vector>

#include "ops/builder.h"

namespace nongemm {

/// A convolution with bias, stride 1 and "same" padding, in the scope of module `name`. `deviation` of synthetic
/// weights.
Tensor biased_conv(Builder& builder, const std::string& name, const Tensor& x, std::int64_t out, std::int64_t kernel,
                   double deviation);

/// torchvision.ops.FeaturePyramidNetwork with LastLevelMaxPool, in scope: maps of `channels` channels, the finest
/// first, and one more at half the resolution of the coarsest.
std::vector<Tensor> feature_pyramid(Builder& builder, const std::vector<Tensor>& features, std::int64_t channels);

}  // namespace nongemm
