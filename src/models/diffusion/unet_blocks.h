// The blocks of diffusers' UNet2DConditionModel: residual blocks that take the time, transformers that take the text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/config.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm::diffusion {

/// One resolution of the network, on its way down; the way up has the same in reverse.
struct UNetLevel {
  std::int64_t channels, layers, heads, transformers, text_width;
};

struct UNet {
  std::vector<UNetLevel> levels;
  std::vector<bool> down_attends, up_attends;  // whether a block's layers have transformers
  bool has_middle = true, middle_attends = true;
  std::int64_t in_channels, out_channels, groups, time_width, in_kernel, out_kernel, down_padding;
  double epsilon, middle_scale;
  std::string activation, time_activation, time_post_activation;
  bool linear_projection, only_cross_attention, scale_shift, center_input, cosine_first;
  double frequency_shift;
  /// SDXL's further condition: width of each of its numbers' embedding, and of all with the text's; 0: none.
  std::int64_t added_number_width = 0, added_width = 0;

  /// Throws Error(kBadInput) naming keys that are wrong or not built in.
  explicit UNet(const Config& config);
};

/// What all blocks take.
struct UNetConditions {
  Tensor time;  // [batch, time width]
  Tensor text;  // [batch, tokens, text width]
};

/// ResnetBlock2D. x [batch, channels, height, width]
Tensor residual_block(Builder& b, const UNet& model, const std::string& name, const Tensor& x, std::int64_t out,
                      const UNetConditions& conditions, double scale = 1.0);

/// Transformer2DModel over the cells of a map.
/// @param only_cross both attentions are to the text
Tensor map_transformer(Builder& b, const UNet& model, const std::string& name, const UNetLevel& level, const Tensor& x,
                       const UNetConditions& conditions, bool only_cross);

}  // namespace nongemm::diffusion
