// The denoiser of FLUX.1: diffusers FluxTransformer2DModel.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/architectures.h"
#include "models/diffusion/layers.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/parts/named_inputs.h"

namespace nongemm {
namespace diffusion {
namespace {

using namespace fn;

constexpr double kEpsilon = 1e-6;
/// What a half-precision residual stream is kept within.
constexpr std::int64_t kLargestHalf = 65504;

struct Flux {
  std::int64_t in_channels, out_channels, layers, single_layers, head, heads, width, text_width, pooled_width;
  bool guidance;
  std::vector<std::int64_t> axes;  // rotated channels of a head by each coordinate

  explicit Flux(const Config& config)
      : in_channels(config.positive("in_channels", 64)),
        layers(config.bounded("num_layers", 19, kMostLayers)),
        single_layers(config.bounded("num_single_layers", 38, kMostLayers)),
        head(config.positive("attention_head_dim", 128)),
        heads(config.positive("num_attention_heads", 24)),
        width(head * heads),
        text_width(config.positive("joint_attention_dim", 4096)),
        pooled_width(config.positive("pooled_projection_dim", 768)),
        guidance(config.flag("guidance_embeds", false)),
        axes(config.integers("axes_dims_rope", {16, 56, 56})) {
    const std::int64_t patch = config.positive("patch_size", 1);
    out_channels = patch * patch * config.positive("out_channels", in_channels);
    std::int64_t rotated = 0;
    for (const std::int64_t axis : axes) {
      if (axis < 2 || axis % 2 != 0) config.fail("axes_dims_rope", "holds " + std::to_string(axis) + ", which is odd");
      rotated += axis;
    }
    if (rotated != head) config.fail("axes_dims_rope", "does not add up to attention_head_dim");
  }
};

struct Rotation {
  Tensor cos, sin;  // [text and image tokens, head]
};

/// FluxPosEmbed: in fp64 by the coordinates ids [tokens, axes].
Rotation rotation(Builder& b, const Flux& model, const Tensor& ids) {
  const auto scope = b.scope("pos_embed", "FluxPosEmbed");
  constexpr double kTheta = 10000;
  const Tensor positions = to(ids, DType::kFloat32);
  std::vector<Tensor> cosines;
  std::vector<Tensor> sines;
  for (std::size_t i = 0; i < model.axes.size(); ++i) {
    const std::int64_t axis = model.axes[i];
    const Tensor position = select(positions, 1, static_cast<std::int64_t>(i));
    const Tensor even = b.call("aten.arange.start_step", {0, axis, 2}, {{"dtype", DType::kFloat64}});
    const Tensor wavelengths = b.call("aten.pow.Scalar", {kTheta, div(even, axis)});
    const Tensor frequencies = div(mul(reciprocal(wavelengths), 1.0), 1.0);
    const Tensor angles = b.call("aten.outer.default", {position, frequencies});
    const auto doubled = [&](const Tensor& x) {
      const Tensor twice = b.call("aten.repeat_interleave.self_int", {x, 2, 1}, {{"output_size", axis}});
      return to(twice, DType::kFloat32);
    };
    cosines.push_back(doubled(cos(angles)));
    sines.push_back(doubled(sin(angles)));
  }
  const auto joined = [&](const std::vector<Tensor>& parts) {
    return b.call("aten.to.dtype_layout", {cat(parts, -1)});
  };
  const Tensor cosine = joined(cosines);
  return {cosine, joined(sines)};
}

/// apply_rotary_emb: pairs of neighbouring channels are turned. x [batch, tokens, heads, head]
Tensor rotate(Builder& b, const Tensor& x, const Rotation& rotation) {
  const auto spread = [](const Tensor& table) { return unsqueeze(unsqueeze(table, 0), 2); };
  Tensor cosine = spread(rotation.cos);
  Tensor sine = spread(rotation.sin);
  cosine = b.call("aten.to.dtype_layout", {cosine});
  sine = b.call("aten.to.dtype_layout", {sine});
  const Shape shape = x.shape();
  const Tensor pairs = reshape(x, {shape[0], shape[1], shape[2], -1, 2});
  const std::vector<Tensor> parts = b.call_all("aten.unbind.int", {pairs, -1});
  Tensor turned = b.call("aten.stack.default", {std::vector<Tensor>{neg(parts[1]), parts[0]}, -1});
  turned = flatten(turned, 3);
  const Tensor straight = mul(to(x, DType::kFloat32), cosine);
  return to(add(straight, mul(to(turned, DType::kFloat32), sine)), x.dtype());
}

class FluxBuilder {
 public:
  FluxBuilder(Builder& b, const Flux& model, const Tensor& condition, const Rotation& rotation)
      : b_(b), model_(model), condition_(condition), rotation_(rotation) {}

  /// Image [batch, tokens, width] and text tokens through blocks that keep them apart.
  void double_block(std::int64_t index, Tensor& image, Tensor& text) {
    const auto scope = b_.scope("transformer_blocks." + std::to_string(index), "FluxTransformerBlock");
    const auto [normed, parts] = modulated("norm1", "AdaLayerNormZero", image, 6);
    const auto [text_normed, text_parts] = modulated("norm1_context", "AdaLayerNormZero", text, 6);
    const auto [image_out, text_out] = joint_attention(normed, text_normed);
    image = finish("norm2", "ff", image, image_out, parts);
    text = limited(finish("norm2_context", "ff_context", text, text_out, text_parts));
  }

  /// Both through a block that has them as one sequence, attention and MLP side by side.
  void single_block(std::int64_t index, Tensor& image, Tensor& text) {
    const auto scope = b_.scope("single_transformer_blocks." + std::to_string(index), "FluxSingleTransformerBlock");
    const std::int64_t text_tokens = text.size(1);
    const Tensor both = cat({text, image}, 1);
    const auto [normed, parts] = modulated("norm", "AdaLayerNormZeroSingle", both, 3);
    Tensor hidden = linear("proj_mlp", normed, 4 * model_.width);
    {
      const auto active = b_.scope("act_mlp", "GELU");
      hidden = gelu(hidden, "tanh");
    }
    const Tensor joined = cat({self_attention(normed), hidden}, 2);
    const Tensor gate = unsqueeze(parts[2], 1);
    const Tensor out = limited(add(both, mul(gate, linear("proj_out", joined, model_.width))));
    text = slice(out, 1, 0, text_tokens);
    image = slice(out, 1, text_tokens, kToEnd);
  }

  /// AdaLayerNormContinuous and the last projection.
  Tensor output(const Tensor& image) {
    Tensor x;
    {
      const auto scope = b_.scope("norm_out", "AdaLayerNormContinuous");
      const Tensor active = to(activation(b_, "silu", "silu", condition_), image.dtype());
      const std::vector<Tensor> parts = chunk(linear("linear", active, 2 * model_.width), 2, 1);
      x = plain_norm("norm", image);
      x = mul(x, unsqueeze(add(parts[0], 1), 1));
      x = add(x, unsqueeze(parts[1], 1));
    }
    return linear("proj_out", x, model_.out_channels);
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out) { return nn::linear(b_, name, x, out); }

  Tensor plain_norm(const char* name, const Tensor& x) {
    const auto scope = b_.scope(name, "LayerNorm");
    return layer_norm(x, {x.size(-1)}, {}, {}, kEpsilon);
  }

  /// x (1 + scale) + shift, both [batch, width]
  static Tensor shifted(const Tensor& x, const Tensor& scale, const Tensor& shift) {
    const Tensor scaled = mul(x, add(unsqueeze(scale, 1), 1));
    return add(scaled, unsqueeze(shift, 1));
  }

  /// The norm, with shift and scale by the condition, and all `count` parts that the condition gives.
  std::pair<Tensor, std::vector<Tensor>> modulated(const char* name, const char* type, const Tensor& x,
                                                   std::int64_t count) {
    const auto scope = b_.scope(name, type);
    const Tensor active = activation(b_, "silu", "silu", condition_);
    const std::vector<Tensor> parts = chunk(linear("linear", active, count * model_.width), count, 1);
    return {shifted(plain_norm("norm", x), parts[1], parts[0]), parts};
  }

  /// What comes after attention: parts are shift, scale and gate of attention, then those of the MLP.
  Tensor finish(const char* norm, const char* mlp, const Tensor& x, const Tensor& attended,
                const std::vector<Tensor>& parts) {
    const Tensor y = add(x, mul(unsqueeze(parts[2], 1), attended));
    const Tensor normed = shifted(plain_norm(norm, y), parts[4], parts[3]);
    const Tensor out = feed_forward(b_, mlp, FeedForward::kTanhGelu, normed);
    return add(y, mul(unsqueeze(parts[5], 1), out));
  }

  Tensor limited(const Tensor& x) {
    if (x.dtype() != DType::kFloat16) return x;
    return b_.call("aten.clip.default", {x, -kLargestHalf, kLargestHalf});
  }

  Tensor rms_norm(const char* name, const Tensor& x) {
    const auto scope = b_.scope(name, "RMSNorm");
    const Tensor weight = b_.parameter("weight", {model_.head}, InitSpec::constant(1));
    return b_.call("aten.rms_norm.default", {x, Shape{model_.head}, weight, kEpsilon});
  }

  using Heads = std::array<Tensor, 3>;  // query, key, value [batch, tokens, heads, head]

  Heads projected(const std::array<const char*, 3>& names, const Tensor& x) {
    Heads parts;
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = linear(names[i], x, model_.width);
    return parts;
  }

  Heads split(Heads parts, const char* query_norm, const char* key_norm) {
    for (Tensor& part : parts) part = b_.call("aten.unflatten.int", {part, -1, Shape{-1, model_.head}});
    parts[0] = rms_norm(query_norm, parts[0]);
    parts[1] = rms_norm(key_norm, parts[1]);
    return parts;
  }

  /// Of all tokens to all. [batch, tokens, width]
  Tensor attend(const Heads& parts) {
    const Tensor query = rotate(b_, parts[0], rotation_);
    const Tensor key = rotate(b_, parts[1], rotation_);
    const auto heads_first = [](const Tensor& x) { return permute(x, {0, 2, 1, 3}); };
    const Tensor query_heads = heads_first(query);
    const Tensor key_heads = heads_first(key);
    const Tensor out = heads_first(scaled_dot_product_attention(query_heads, key_heads, heads_first(parts[2])));
    return to(flatten(out, 2, 3), query.dtype());
  }

  Tensor self_attention(const Tensor& x) {
    const auto scope = b_.scope("attn", "FluxAttention");
    return attend(split(projected({"to_q", "to_k", "to_v"}, x), "norm_q", "norm_k"));
  }

  std::pair<Tensor, Tensor> joint_attention(const Tensor& image, const Tensor& text) {
    const auto scope = b_.scope("attn", "FluxAttention");
    Heads parts = projected({"to_q", "to_k", "to_v"}, image);
    Heads added = projected({"add_q_proj", "add_k_proj", "add_v_proj"}, text);
    parts = split(parts, "norm_q", "norm_k");
    added = split(added, "norm_added_q", "norm_added_k");
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = cat({added[i], parts[i]}, 1);
    const Tensor out = attend(parts);
    const Shape sizes = {text.size(1), image.size(1)};
    const std::vector<Tensor> halves = b_.call_all("aten.split_with_sizes.default", {out, sizes, 1});
    const Tensor image_out = linear("to_out.0", contiguous(halves[1]), model_.width);
    return {image_out, linear("to_add_out", contiguous(halves[0]), model_.width)};
  }

  Builder& b_;
  const Flux& model_;
  Tensor condition_;  // [batch, width]
  Rotation rotation_;
};

struct FluxInputs {
  Tensor image, text, pooled, timestep, guidance, image_ids, text_ids;
};

FluxInputs declare_inputs(Builder& b, const Flux& model, const ModelOptions& options) {
  check_input_names(options, {"hidden_states", "encoder_hidden_states", "pooled_projections", "timestep", "guidance",
                              "img_ids", "txt_ids"});
  constexpr std::int64_t kUsualCells = 4096;  // 1024 x 1024 pixels
  constexpr std::int64_t kUsualTokens = 512;
  const std::int64_t batch = options.batch;
  const auto axes = static_cast<std::int64_t>(model.axes.size());
  const auto declare = [&](const char* name, const Shape& pattern, const Shape& usual, InputKind::Content content) {
    return b.input(name, options.dtype, input_shape(options, name, {pattern}, usual), {content, 0});
  };
  using Content = InputKind::Content;
  FluxInputs inputs;
  inputs.image = declare("hidden_states", {batch, kDynamic, model.in_channels}, {batch, kUsualCells, model.in_channels},
                         Content::kPixels);
  inputs.text = declare("encoder_hidden_states", {batch, kDynamic, model.text_width},
                        {batch, options.sequence.value_or(kUsualTokens), model.text_width}, Content::kPixels);
  inputs.pooled =
      declare("pooled_projections", {batch, model.pooled_width}, {batch, model.pooled_width}, Content::kPixels);
  inputs.timestep = declare("timestep", {batch}, {batch}, Content::kImage);  // between 0 and 1
  const Shape image_ids = {inputs.image.size(1), axes};
  const Shape text_ids = {inputs.text.size(1), axes};
  inputs.image_ids = declare("img_ids", image_ids, image_ids, Content::kOther);
  inputs.text_ids = declare("txt_ids", text_ids, text_ids, Content::kOther);
  if (model.guidance) inputs.guidance = declare("guidance", {batch}, {batch}, Content::kImage);
  return inputs;
}

/// CombinedTimestepTextProjEmbeddings, with guidance CombinedTimestepGuidanceTextProjEmbeddings. [batch, width]
Tensor condition(Builder& b, const Flux& model, const FluxInputs& inputs) {
  constexpr std::int64_t kSines = 256;
  const auto in_steps = [&](const Tensor& x) { return mul(to(x, b.dtype()), 1000); };
  const Tensor timestep = in_steps(inputs.timestep);
  const Tensor guidance = inputs.guidance ? in_steps(inputs.guidance) : Tensor();
  const auto scope = b.scope("time_text_embed", guidance ? "CombinedTimestepGuidanceTextProjEmbeddings"
                                                         : "CombinedTimestepTextProjEmbeddings");
  const auto embed = [&](const char* name, const Tensor& x) {
    return timestep_embedding(b, name, to(timesteps(b, "time_proj", x, kSines), b.dtype()), model.width);
  };
  Tensor time = embed("timestep_embedder", timestep);
  if (guidance) time = add(time, embed("guidance_embedder", guidance));
  Tensor pooled;
  {
    const auto text = b.scope("text_embedder", "PixArtAlphaTextProjection");
    const Tensor hidden = activation(b, "act_1", "silu", nn::linear(b, "linear_1", inputs.pooled, model.width));
    pooled = nn::linear(b, "linear_2", hidden, model.width);
  }
  return add(time, pooled);
}

Graph build(const Config& config, const ModelOptions& options) {
  const Flux model(config);
  Builder b("flux", options.dtype);
  const FluxInputs inputs = declare_inputs(b, model, options);
  b.graph().attributes["sequence"] = std::to_string(inputs.text.size(1));
  const auto top = b.scope("", "FluxTransformer2DModel");
  Tensor image = nn::linear(b, "x_embedder", inputs.image, model.width);
  const Tensor conditions = condition(b, model, inputs);
  Tensor text = nn::linear(b, "context_embedder", inputs.text, model.width);
  FluxBuilder flux(b, model, conditions, rotation(b, model, cat({inputs.text_ids, inputs.image_ids}, 0)));
  for (std::int64_t i = 0; i < model.layers; ++i) flux.double_block(i, image, text);
  for (std::int64_t i = 0; i < model.single_layers; ++i) flux.single_block(i, image, text);
  b.output("sample", flux.output(image));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "flux-schnell",
             .title = "FLUX.1 schnell transformer",
             .config = "{}",
             .parameters = 11891178560,
             .sequence = 256},
    ModelRow{.name = "flux-dev",
             .title = "FLUX.1 dev transformer",
             .config = R"({"guidance_embeds": true})",
             .parameters = 11901408320,
             .sequence = 512},
};

}  // namespace
}  // namespace diffusion

const Architecture& flux_architecture() {
  static const Architecture kArchitecture = {.model_type = "FluxTransformer2DModel",
                                             .domain = Domain::kImageGeneration,
                                             .dataset = "COCO",
                                             .build = diffusion::build,
                                             .models = diffusion::kModels};
  return kArchitecture;
}

}  // namespace nongemm
