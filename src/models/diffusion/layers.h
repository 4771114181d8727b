// Modules that diffusers' models share: embeddings of timesteps, feed-forward layers, activations.
#pragma once

#include <cstdint>
#include <string>

#include "ops/builder.h"

namespace nongemm::diffusion {

/// An activation by diffusers' name ("silu", "swish", "mish", "gelu", "relu"), in the scope of its torch.nn module.
/// Throws Error(kUnsupported) naming the known ones.
Tensor activation(Builder& b, const std::string& module, std::string_view name, const Tensor& x);

/// nn.GroupNorm over the channels of x [batch, channels, height, width].
Tensor group_norm(Builder& b, const std::string& name, const Tensor& x, std::int64_t groups, double epsilon);

/// How Timesteps lays out its sines and cosines.
struct TimestepStyle {
  bool cosine_first = true;  // flip_sin_to_cos
  double shift = 0;          // freq_shift
};

/// Timesteps: sines and cosines of `timesteps` [n], in fp32. [n, width]
Tensor timesteps(Builder& b, const std::string& name, const Tensor& timesteps, std::int64_t width,
                 TimestepStyle style = {});

/// TimestepEmbedding: a linear layer, an activation, a linear layer. [n, in] -> [n, width]
/// @param post_activation after them; empty: none
Tensor timestep_embedding(Builder& b, const std::string& name, const Tensor& x, std::int64_t width,
                          std::string_view activation_name = "silu", std::string_view post_activation = "");

enum class FeedForward : std::uint8_t { kGatedGelu, kTanhGelu };

/// FeedForward: four times as wide inside. x [batch, tokens, width]
Tensor feed_forward(Builder& b, const std::string& name, FeedForward kind, const Tensor& x);

}  // namespace nongemm::diffusion
