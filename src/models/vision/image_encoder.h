// What transformers' image encoders share (ViT, CLIP, SigLIP, DINOv2): images as tokens and pre-norm layers over them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "models/config.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// An encoder's configuration. Written down with the defaults of the original's config class, then read.
struct ImageEncoder {
  std::string family;  // the classes' prefix: "CLIP" of CLIPAttention
  std::int64_t width = 768, layers = 12, heads = 12, inner = 3072, channels = 3;
  std::array<std::int64_t, 2> image = {224, 224}, patch = {16, 16};  // {height, width}
  std::string activation = "gelu";
  double epsilon = 1e-6, deviation = 0.02;
  bool qkv_bias = true;

  void read(const Config& config);
  std::array<std::int64_t, 2> grid() const { return {image[0] / patch[0], image[1] / patch[1]}; }
  /// Patches of an image of the configuration's size.
  std::int64_t patches() const { return grid()[0] * grid()[1]; }
  std::int64_t head_width() const { return width / heads; }
  InitSpec init() const { return InitSpec::normal(0, deviation); }
};

/// The input `pixel_values` [batch, channels, height, width], of the size asked for or of `size`.
Tensor pixel_values(Builder& b, const ModelOptions& options, std::int64_t channels, std::array<std::int64_t, 2> size);

/// The same where the original takes no other size than the configuration's.
/// Throws Error(kUsage) naming both sizes.
Tensor pixel_values_of_one_size(Builder& b, const Config& config, const ModelOptions& options,
                                const ImageEncoder& model);

/// A convolution with the patch as kernel and stride. [batch, patches, width]
Tensor patch_tokens(Builder& b, const std::string& name, const Tensor& pixels, const ImageEncoder& model,
                    bool bias = true);

/// The rows of an nn.Embedding for all positions, looked up as the original does. [1, positions, width]
Tensor position_embedding(Builder& b, const ImageEncoder& model, std::int64_t positions);

/// Two linear layers with an activation between them, `fc1` and `fc2` of module `mlp`, as SiglipMLP.
/// @param activation_name the attribute that holds the activation
Tensor image_mlp(Builder& b, const ImageEncoder& model, const Tensor& x, const char* activation_name = "activation_fn");

/// Attributes of a layer, which differ from model to model.
struct ImageLayerNames {
  const char* attention;
  const char* output;  // the attention's last projection
  const char* norm1;
  const char* norm2;
};

/// A layer: attention and MLP, each after a norm and added to what it took. Projections are q_proj, k_proj and v_proj.
/// @param project_first all projections are made before their heads are split (CLIP)
Tensor image_layer(Builder& b, const ImageEncoder& model, const ImageLayerNames& names, const Tensor& x,
                   Attention attention, bool project_first = false);

}  // namespace nongemm
