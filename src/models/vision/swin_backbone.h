// Swin as a feature extractor: transformers MaskFormerSwinBackbone.
#pragma once

#include <vector>

#include "models/config.h"
#include "ops/builder.h"

namespace nongemm {

/// Feature maps [batch, channels, height, width] of the stages asked for, in their order, in scope.
/// @param config the backbone's own, model_type "swin" (its first four stages) or "maskformer-swin" (out_features)
/// @param image [batch, num_channels, height, width]
std::vector<Tensor> maskformer_swin_features(Builder& builder, const Config& config, const Tensor& image);

}  // namespace nongemm
