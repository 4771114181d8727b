// GPT-2 with its language-model head: transformers GPT2LMHeadModel.
#include <array>
#include <cmath>
#include <string>

#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/cache.h"
#include "models/parts/functional.h"
#include "models/parts/generate.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

struct Gpt2 {
  std::int64_t vocabulary, positions, width, layers, heads, inner;
  std::string activation;
  double epsilon, deviation;
  bool scale, scale_by_layer, upcast, cache, tied;

  explicit Gpt2(const Config& config)
      : vocabulary(config.positive("vocab_size", 50257)),
        positions(config.positive("n_positions", "max_position_embeddings", 1024)),
        width(config.positive("n_embd", "hidden_size", 768)),
        layers(config.positive("n_layer", "num_hidden_layers", 12)),
        heads(config.positive("n_head", "num_attention_heads", 12)),
        inner(config.positive("n_inner", 4 * width)),
        activation(config.text("activation_function", "gelu_new")),
        epsilon(config.number("layer_norm_epsilon", 1e-5)),
        deviation(config.number("initializer_range", 0.02)),
        scale(config.flag("scale_attn_weights", true)),
        scale_by_layer(config.flag("scale_attn_by_inverse_layer_idx", false)),
        upcast(config.flag("reorder_and_upcast_attn", false)),
        cache(config.flag("use_cache", true)),
        tied(config.flag("tie_word_embeddings", true)) {
    if (width % heads != 0) config.fail("n_head", "does not divide n_embd " + std::to_string(width));
    if (layers > kMostLayers) config.fail("n_layer", "is too large");
    if (config.flag("add_cross_attention", false)) config.fail("add_cross_attention", "is not supported");
  }
};

/// transformers' Conv1D: a linear layer whose weight is stored [in, out].
Tensor conv1d(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, double deviation) {
  const auto scope = b.scope(name, "Conv1D");
  const std::int64_t in = x.size(-1);
  const Tensor weight = b.parameter("weight", {in, out}, InitSpec::normal(0, deviation));
  const Tensor bias = b.parameter("bias", {out}, InitSpec::constant(0));
  Shape shape = x.shape();
  shape.back() = out;
  return view(addmm(bias, view(x, {-1, in}), weight), shape);
}

Tensor attend(Builder& b, const Gpt2& model, const Tensor& query, const Tensor& key, const Tensor& value,
              const Tensor& mask, double scaling, Attention attention) {
  if (attention != Attention::kEager) {
    return nongemm::attention(query, key, value, mask, scaling, attention, {.causal = true});
  }
  if (model.upcast) {  // _upcast_and_reordered_attn: scores in fp32, the scale inside the multiplication
    const std::int64_t batch = query.size(0);
    const std::int64_t tokens = query.size(2);
    const std::int64_t keys = key.size(2);
    const std::int64_t head = query.size(3);
    const Tensor scores =
        b.call("aten.empty.memory_format", {Shape{batch * model.heads, tokens, keys}}, {{"dtype", DType::kFloat32}});
    const Tensor q = reshape(query, {-1, tokens, head});
    const Tensor k = reshape(transpose(key, -1, -2), {-1, head, keys});
    Tensor weights = b.call("aten.baddbmm.default", {scores, to(q, DType::kFloat32), to(k, DType::kFloat32)},
                            {{"beta", 0}, {"alpha", scaling}});
    weights = reshape(weights, {batch, model.heads, tokens, keys});
    if (mask) weights = add(weights, mask);
    weights = to(softmax(weights, -1), value.dtype());
    return transpose(matmul(weights, value), 1, 2);
  }
  Tensor weights = mul(matmul(query, transpose(key, -1, -2)), scaling);
  if (mask) weights = add(weights, mask);
  weights = to(softmax(weights, -1), value.dtype());
  return transpose(matmul(weights, value), 1, 2);
}

Tensor attention_block(Builder& b, const Gpt2& model, std::int64_t layer, const Tensor& x, const Tensor& mask,
                       KeyValueCache* cache, Attention attention) {
  const auto scope = b.scope("attn", "GPT2Attention");
  const std::int64_t head = model.width / model.heads;
  double scaling = model.scale ? 1.0 / std::sqrt(static_cast<double>(head)) : 1.0;
  if (model.scale_by_layer) scaling /= static_cast<double>(layer + 1);

  const std::vector<Tensor> qkv = split(conv1d(b, "c_attn", x, 3 * model.width, model.deviation), model.width, 2);
  Tensor key = split_heads(qkv[1], head);
  Tensor value = split_heads(qkv[2], head);
  const Tensor query = split_heads(qkv[0], head);
  if (cache != nullptr) cache->update(layer, key, value);

  const Tensor out = attend(b, model, query, key, value, mask, scaling, attention);
  const Tensor merged = reshape(out, {out.size(0), out.size(1), -1});
  // GPT-2 scales the initial weights of residual projections by the depth of the residual stream.
  return conv1d(b, "c_proj", merged, model.width, model.deviation / std::sqrt(2.0 * static_cast<double>(model.layers)));
}

Tensor block(Builder& b, const Gpt2& model, std::int64_t layer, Tensor x, const Tensor& mask, KeyValueCache* cache,
             Attention attention) {
  const auto scope = b.scope("h." + std::to_string(layer), "GPT2Block");
  x = add(attention_block(b, model, layer, nn::layer_norm(b, "ln_1", x, model.epsilon), mask, cache, attention), x);
  Tensor y = nn::layer_norm(b, "ln_2", x, model.epsilon);
  {
    const auto mlp = b.scope("mlp", "GPT2MLP");
    y = conv1d(b, "c_fc", y, model.inner, model.deviation);
    y = activation(y, model.activation);
    y = conv1d(b, "c_proj", y, model.width, model.deviation / std::sqrt(2.0 * static_cast<double>(model.layers)));
  }
  return add(x, y);
}

/// warn_if_padding_and_no_attention_mask: whether a sample without a mask ends or begins with padding.
void look_for_padding(Builder& b, const Tensor& ids, std::int64_t padding_token) {
  const Tensor ends = b.constant(HostTensor::from<std::int64_t>(DType::kInt64, {2}, {-1, 0}));
  const Tensor tokens = b.call("aten.index.Tensor", {ids, std::vector<Tensor>{Tensor(), ends}});
  const Tensor found = b.call("aten.any.default", {b.call("aten.eq.Scalar", {tokens, padding_token})});
  b.call("aten.item.default", {found});
}

/// The token ids, and what else the caller gives.
struct Inputs : PassInputs {
  Tensor types;
};

Inputs inputs_of(Builder& b, const Config& config, const Gpt2& model, const ModelOptions& options,
                 std::int64_t tokens) {
  if (options.pass) {
    return {pass_inputs(b, config, options, model.vocabulary, model.positions, "n_positions"), {}};
  }
  const TextInputs inputs = text_inputs(b, options, tokens, model.vocabulary, model.vocabulary);
  return {{.ids = inputs.ids, .mask = inputs.mask, .positions = {}}, inputs.token_type_ids};
}

/// The module `transformer`, in scope: [batch, tokens, width].
/// @param table of the words' vectors
Tensor transformer(Builder& b, const Config& config, const Gpt2& model, const ModelOptions& options,
                   const Inputs& inputs, const Tensor& table, std::int64_t tokens) {
  const Tensor places =
      nn::embedding_table(b, "wpe", model.positions, model.width, InitSpec::normal(0, model.deviation));
  if (!inputs.mask && config.has("pad_token_id") && !options.pass) {
    look_for_padding(b, inputs.ids, config.integer("pad_token_id"));
  }
  const Tensor flat = view(inputs.ids, {-1, tokens});
  Tensor types = inputs.types;
  if (types) types = view(types, {-1, tokens});
  Tensor positions = inputs.positions;
  Tensor x = nn::embedding(b, "wte", table, flat);
  KeyValueCache cache(b, options, tokens);
  const bool cached = model.cache || options.pass;
  if (!positions) positions = cache.positions();
  // `position_embeds.to(inputs_embeds.device)`, dispatched though they are there.
  x = add(x, b.call("aten.to.dtype_layout", {nn::embedding(b, "wpe", places, positions)}));
  Tensor padding = inputs.mask;
  if (padding) padding = view(padding, {options.batch, -1});
  if (!padding && !cached) check_for_packing(b, positions, options.batch);
  const Tensor mask = causal_mask(b, padding, options.batch, tokens, options.dtype, options, kNoWindow, cache.span(0));
  if (types) x = add(x, nn::embedding(b, "wte", table, types));
  for (std::int64_t i = 0; i < model.layers; ++i) {
    x = block(b, model, i, x, mask, cached ? &cache : nullptr, options.attention);
  }
  x = nn::layer_norm(b, "ln_f", x, model.epsilon);
  return view(x, {-1, tokens, model.width});
}

Graph build(const Config& config, const ModelOptions& options) {
  const Gpt2 model(config);
  const std::int64_t tokens =
      options.pass ? options.sequence.value_or(1) : checked_tokens(config, options, model.positions, "n_positions");
  Builder b("gpt2", options.dtype);
  const bool eager = options.attention == Attention::kEager;
  b.graph().attributes["attention"] = eager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {
      .ignored = {"*.attn.bias", "*.attn.masked_bias"}, .optional_prefixes = {"transformer."}, .renames = {}};

  const Inputs inputs = inputs_of(b, config, model, options, tokens);
  Tensor table;
  Tensor x;
  {
    const auto scope = b.scope("transformer", "GPT2Model");
    table = nn::embedding_table(b, "wte", model.vocabulary, model.width, InitSpec::normal(0, model.deviation));
    x = transformer(b, config, model, options, inputs, table, tokens);
  }
  if (options.pass) x = last_token(x);
  {
    const auto head = b.scope("lm_head", "Linear");
    if (model.tied) {
      b.tie(table, "lm_head.weight");
    } else {
      table = b.parameter("weight", {model.vocabulary, model.width}, InitSpec::normal(0, model.deviation));
    }
    x = linear(x, table);
  }
  if (options.pass) {
    finish_pass(b, options, inputs, x);
  } else {
    b.output("logits", x);
  }
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "gpt2", .title = "GPT-2", .config = "{}", .parameters = 124439808, .sequence = 256},
    ModelRow{.name = "gpt2-medium",
             .title = "GPT-2 Medium",
             .config = R"({"n_embd": 1024, "n_layer": 24, "n_head": 16})",
             .parameters = 354823168,
             .sequence = 256},
    ModelRow{.name = "gpt2-large",
             .title = "GPT-2 Large",
             .config = R"({"n_embd": 1280, "n_layer": 36, "n_head": 20})",
             .parameters = 774030080,
             .sequence = 256},
    ModelRow{.name = "gpt2-xl",
             .title = "GPT-2 X-Large",
             .config = R"({"n_embd": 1600, "n_layer": 48, "n_head": 25})",
             .parameters = 1557611200,
             .sequence = 256},
};

}  // namespace

const Architecture& gpt2_architecture() {
  static const Architecture kArchitecture = {.model_type = "gpt2",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "GPT2LMHeadModel",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
