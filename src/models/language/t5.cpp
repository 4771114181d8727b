// The encoder of T5: transformers T5EncoderModel.
#include <array>
#include <cmath>
#include <string>

#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/relative_bias.h"
#include "models/parts/rms_norm.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

struct T5 {
  std::int64_t vocabulary, width, head_width, inner, layers, heads;
  RelativeBias bias;
  std::string activation;
  bool gated = false;
  double epsilon;

  explicit T5(const Config& config)
      : vocabulary(config.positive("vocab_size", 32128)),
        width(config.positive("d_model", "hidden_size", 512)),
        head_width(config.positive("d_kv", "head_dim", 64)),
        inner(config.positive("d_ff", 2048)),
        layers(config.bounded(config.has("num_layers") ? "num_layers" : "num_hidden_layers", 6, kMostLayers)),
        heads(config.positive("num_heads", "num_attention_heads", 8)),
        bias{config.positive("relative_attention_num_buckets", 32),
             config.positive("relative_attention_max_distance", 128)},
        activation(config.text("feed_forward_proj", "relu")),
        epsilon(config.number("layer_norm_epsilon", 1e-6)) {
    constexpr std::string_view kGated = "gated-";
    if (activation.starts_with(kGated)) {
      gated = true;
      activation = activation == "gated-gelu" ? "gelu_new" : activation.substr(kGated.size());
    }
    if (bias.buckets < 4) config.fail("relative_attention_num_buckets", "is less than 4");
    if (bias.farthest <= bias.buckets / 4) {
      config.fail("relative_attention_max_distance",
                  "is within the distances that have a bucket each, " + std::to_string(bias.buckets / 4));
    }
    if (config.flag("is_decoder", false)) config.fail("is_decoder", "true is not supported: only the encoder is built");
  }
};

class T5Builder {
 public:
  T5Builder(Builder& b, const T5& model, const ModelOptions& options, std::int64_t tokens)
      : b_(b), model_(model), options_(options), tokens_(tokens) {}

  void build() {
    const TextInputs inputs = text_inputs(b_, options_, tokens_, model_.vocabulary, 0);
    const Tensor words = nn::embedding_table(b_, "shared", model_.vocabulary, model_.width, InitSpec::normal(0, 1));
    b_.tie(words, "encoder.embed_tokens.weight");
    const auto scope = b_.scope("encoder", "T5Stack");
    Tensor x = nn::embedding(b_, "embed_tokens", words, inputs.ids);
    mask_ = bidirectional_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_);
    for (std::int64_t i = 0; i < model_.layers; ++i) {
      const auto block = b_.scope("block." + std::to_string(i), "T5Block");
      x = clamped(attention_layer(x));
      x = clamped(feed_forward_layer(x));
    }
    b_.output("last_hidden_state", norm("final_layer_norm", x));
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out, std::int64_t fan_in) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, 1.0 / std::sqrt(static_cast<double>(fan_in))), false);
  }
  Tensor norm(const std::string& name, const Tensor& x) {
    return rms_norm(b_, name, "T5LayerNorm", x, model_.epsilon, RmsNorm::kT5);
  }

  Tensor attention_layer(const Tensor& x) {
    const auto scope = b_.scope("layer.0", "T5LayerSelfAttention");
    const Tensor y = norm("layer_norm", x);
    const auto attention_scope = b_.scope("SelfAttention", "T5Attention");
    const std::int64_t width = model_.heads * model_.head_width;
    const Tensor query = split_heads(linear("q", y, width, model_.width * model_.head_width), model_.head_width);
    const Tensor key = split_heads(linear("k", y, width, model_.width), model_.head_width);
    const Tensor value = split_heads(linear("v", y, width, model_.width), model_.head_width);
    if (!bias_) {
      bias_ = relative_bias(b_, model_.bias, model_.bias.buckets, model_.heads, tokens_,
                            InitSpec::normal(0, 1.0 / std::sqrt(static_cast<double>(model_.width))));
    }
    const Tensor out = attention(query, key, value, mask_, 1.0, options_.attention, {.position_bias = bias_});
    return add(x, linear("o", reshape(out, {options_.batch, tokens_, -1}), model_.width, width));
  }

  Tensor feed_forward_layer(const Tensor& x) {
    const auto scope = b_.scope("layer.1", "T5LayerFF");
    const Tensor y = norm("layer_norm", x);
    const auto dense = b_.scope("DenseReluDense", model_.gated ? "T5DenseGatedActDense" : "T5DenseActDense");
    Tensor inner = activation(linear(model_.gated ? "wi_0" : "wi", y, model_.inner, model_.width), model_.activation);
    if (model_.gated) inner = mul(inner, linear("wi_1", y, model_.inner, model_.width));
    return add(x, last_product(inner));
  }

  /// `wo` stays in fp32 in a model of fp16.
  Tensor last_product(Tensor x) {
    const DType dtype = options_.dtype == DType::kFloat16 ? DType::kFloat32 : options_.dtype;
    if (x.dtype() != dtype) x = to(x, dtype);
    const auto scope = b_.scope("wo", "Linear");
    const InitSpec init = InitSpec::normal(0, 1.0 / std::sqrt(static_cast<double>(model_.inner)));
    return fn::linear(x, b_.parameter("weight", dtype, {model_.width, model_.inner}, init));
  }

  /// Of values in fp16, infinite ones are brought back.
  Tensor clamped(const Tensor& x) {
    if (x.dtype() != DType::kFloat16) return x;
    const Tensor infinite = b_.call("aten.any.default", {b_.call("aten.isinf.default", {x})});
    constexpr double kLargest = 65504.0;
    const Tensor bound = b_.call("aten.where.Scalar", {infinite, kLargest - 1000.0, kLargest});
    return b_.call("aten.clamp.Tensor", {x, neg(bound), bound});
  }

  Builder& b_;
  const T5& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  Tensor mask_, bias_;
};

Graph build(const Config& config, const ModelOptions& options) {
  const T5 model(config);
  constexpr std::int64_t kUsualTokens = 512;  // distances have no end
  const std::int64_t tokens =
      options.sequence ? checked_tokens(config, options, kMostPositions, "the most that are built") : kUsualTokens;
  Builder b("t5", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"decoder.*", "lm_head.weight"}, .optional_prefixes = {}, .renames = {}};
  T5Builder(b, model, options, tokens).build();
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "t5-small-encoder",
             .title = "T5 small, encoder",
             .config = R"({})",
             .parameters = 35330816,
             .sequence = 128},
    ModelRow{.name = "t5-base-encoder",
             .title = "T5 base, encoder",
             .config = R"({"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12})",
             .parameters = 109628544,
             .sequence = 128},
    ModelRow{.name = "t5-xxl-encoder",
             .title = "T5 v1.1 XXL, encoder (text of diffusion models)",
             .config = R"({"d_model": 4096, "d_ff": 10240, "num_layers": 24, "num_heads": 64,
                           "feed_forward_proj": "gated-gelu"})",
             .parameters = 4762310656,
             .sequence = 512},
};

}  // namespace

const Architecture& t5_architecture() {
  static const Architecture kArchitecture = {.model_type = "t5",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "T5EncoderModel",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
