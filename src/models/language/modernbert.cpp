// ModernBERT with and without a head: transformers ModernBertForMaskedLM, ModernBertModel,
// ModernBertForSequenceClassification, ModernBertForTokenClassification.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/decoder.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/rope.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

struct ModernBert {
  std::int64_t vocabulary, positions, width, layers, heads, inner, padding, window;
  std::string activation, head_activation, pooling;
  double epsilon, deviation;
  bool attention_bias, norm_bias, inner_bias, head_bias, decoder_bias, tied;
  std::vector<bool> sliding;
  LayerRopes ropes;

  explicit ModernBert(const Config& config)
      : vocabulary(config.positive("vocab_size", 50368)),
        positions(config.positive("max_position_embeddings", 8192)),
        width(config.positive("hidden_size", 768)),
        layers(config.bounded("num_hidden_layers", 22, kMostLayers)),
        heads(config.positive("num_attention_heads", 12)),
        inner(config.positive("intermediate_size", 1152)),
        padding(config.integer("pad_token_id", 50283)),
        window(config.positive("local_attention", 128) / 2),
        activation(config.text("hidden_activation", "gelu")),
        head_activation(config.text("classifier_activation", "gelu")),
        pooling(config.text("classifier_pooling", "cls")),
        epsilon(config.number("norm_eps", 1e-5)),
        deviation(config.number("initializer_range", 0.02)),
        attention_bias(config.flag("attention_bias", false)),
        norm_bias(config.flag("norm_bias", false)),
        inner_bias(config.flag("mlp_bias", false)),
        head_bias(config.flag("classifier_bias", false)),
        decoder_bias(config.flag("decoder_bias", true)),
        tied(config.flag("tie_word_embeddings", true)) {
    if (width % heads != 0) config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(width));
    if (width / heads % 2 != 0)
      config.fail("num_attention_heads", "leaves heads of odd width; rotary embedding needs pairs");
    if (window < 1) config.fail("local_attention", "is less than 2");
    if (pooling != "cls" && pooling != "mean") config.fail("classifier_pooling", "is neither cls nor mean");
    const std::int64_t step = config.positive("global_attn_every_n_layers", 3);
    sliding = sliding_layers(config, layers, [&](std::int64_t layer) { return layer % step != 0; });
    ropes = read_layer_ropes(config, width / heads, positions,
                             {.full_theta = "global_rope_theta",
                              .sliding_theta = "local_rope_theta",
                              .full_default = 160000.0,
                              .sliding_default = 10000.0,
                              .scales_both = true});
  }
};

class ModernBertBuilder {
 public:
  ModernBertBuilder(Builder& b, const ModernBert& model, const ModelOptions& options, std::int64_t tokens)
      : b_(b), model_(model), options_(options), tokens_(tokens) {}

  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out, bool bias) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation), bias);
  }

  Tensor base_model(bool under_head) {
    inputs_ = text_inputs(b_, options_, tokens_, model_.vocabulary, 0);
    if (!under_head) return model_body();
    const auto scope = b_.scope("model", "ModernBertModel");
    return model_body();
  }

  Tensor prediction_head(const Tensor& x) {
    const auto scope = b_.scope("head", "ModernBertPredictionHead");
    return norm("norm", activation(linear("dense", x, model_.width, model_.head_bias), model_.head_activation));
  }

  /// Onto the vocabulary.
  Tensor decoded(const Tensor& x) {
    if (!model_.tied) return linear("decoder", x, model_.vocabulary, model_.decoder_bias);
    b_.tie(words_, "decoder.weight");
    const auto scope = b_.scope("decoder", "Linear");
    const Tensor bias =
        model_.decoder_bias ? b_.parameter("bias", {model_.vocabulary}, InitSpec::constant(0)) : Tensor();
    return fn::linear(x, words_, bias);
  }

  /// The sequence's vector, [batch, width]
  Tensor pooled(const Tensor& x) {
    if (model_.pooling == "cls") return select(x, 1, 0);
    Tensor mask = inputs_.mask;
    if (!mask) mask = b_.call("aten.ones.default", {Shape{options_.batch, tokens_}}, {{"dtype", DType::kBool}});
    const Tensor sum = b_.call("aten.sum.dim_IntList", {mul(x, unsqueeze(mask, -1)), Shape{1}});
    return div(sum, b_.call("aten.sum.dim_IntList", {mask, Shape{1}, true}));
  }

 private:
  Tensor norm(const std::string& name, const Tensor& x) {
    if (model_.norm_bias) return nn::layer_norm(b_, name, x, model_.epsilon);
    const auto scope = b_.scope(name, "LayerNorm");
    const Tensor weight = b_.parameter("weight", {model_.width}, InitSpec::constant(1));
    return layer_norm(x, {model_.width}, weight, {}, model_.epsilon);
  }

  Tensor model_body() {
    const Tensor positions = unsqueeze(b_.call("aten.arange.default", {tokens_}), 0);
    Tensor x;
    {
      const auto scope = b_.scope("embeddings", "ModernBertEmbeddings");
      words_ = nn::embedding_table(b_, "tok_embeddings", model_.vocabulary, model_.width,
                                   InitSpec::normal(0, model_.deviation));
      x = norm("norm", nn::embedding(b_, "tok_embeddings", words_, inputs_.ids, model_.padding));
    }
    for (const bool sliding : {false, true}) {
      masks_[sliding] = bidirectional_mask(b_, inputs_.mask, options_.batch, tokens_, options_.dtype, options_,
                                           sliding ? model_.window : kNoWindow);
    }
    for (const bool sliding : {false, true}) {
      if (std::find(model_.sliding.begin(), model_.sliding.end(), sliding) == model_.sliding.end()) continue;
      const auto scope = b_.scope("rotary_emb", "ModernBertRotaryEmbedding");
      const Rope& rope = sliding ? model_.ropes.sliding : model_.ropes.full;
      tables_[sliding] = rotary_tables(b_, rope, positions, options_.dtype);
    }
    for (std::int64_t i = 0; i < model_.layers; ++i) x = layer(i, x);
    return norm("final_norm", x);
  }

  Tensor layer(std::int64_t index, Tensor x) {
    const auto scope = b_.scope("layers." + std::to_string(index), "ModernBertEncoderLayer");
    const bool sliding = model_.sliding.at(static_cast<std::size_t>(index));
    x = add(x, attention_block(index == 0 ? x : norm("attn_norm", x), sliding));
    return add(x, feed_forward(norm("mlp_norm", x)));
  }

  Tensor attention_block(const Tensor& x, bool sliding) {
    const auto scope = b_.scope("attn", "ModernBertAttention");
    const std::int64_t head = model_.width / model_.heads;
    const Tensor all =
        view(linear("Wqkv", x, 3 * model_.width, model_.attention_bias), {options_.batch, tokens_, 3, -1, head});
    const std::vector<Tensor> three = b_.call_all("aten.unbind.int", {all, -3});
    Tensor query = transpose(three[0], 1, 2);
    Tensor key = transpose(three[1], 1, 2);
    const Tensor value = transpose(three[2], 1, 2);
    rotate_in_float(tables_[sliding], query, key);
    const Tensor out = attention(query, key, value, masks_[sliding], 1.0 / std::sqrt(static_cast<double>(head)),
                                 options_.attention, {.fp32_softmax = true});
    return linear("Wo", reshape(out, {options_.batch, tokens_, -1}), model_.width, model_.attention_bias);
  }

  Tensor feed_forward(const Tensor& x) {
    const auto scope = b_.scope("mlp", "ModernBertMLP");
    const std::vector<Tensor> both = chunk(linear("Wi", x, 2 * model_.inner, model_.inner_bias), 2, -1);
    return linear("Wo", mul(activation(both[0], model_.activation), both[1]), model_.width, model_.inner_bias);
  }

  Builder& b_;
  const ModernBert& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  TextInputs inputs_;
  Tensor words_;
  std::array<Tensor, 2> masks_;         // of full, of sliding layers
  std::array<RotaryTables, 2> tables_;  // likewise
};

Graph build(const Config& config, const ModelOptions& options) {
  const ModernBert model(config);
  const std::string built = built_class(modernbert_architecture(), config);
  const std::int64_t tokens = checked_tokens(config, options, model.positions, "max_position_embeddings");
  Builder b("modernbert", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {}, .optional_prefixes = {"model."}, .renames = {}};
  ModernBertBuilder builder(b, model, options, tokens);
  const bool bare = built == "ModernBertModel";
  Tensor x = builder.base_model(!bare);
  if (bare) {
    b.output("last_hidden_state", x);
  } else if (built == "ModernBertForMaskedLM") {
    b.output("logits", builder.decoded(builder.prediction_head(x)));
  } else {
    if (built == "ModernBertForSequenceClassification") x = builder.pooled(x);
    b.output("logits", builder.linear("classifier", builder.prediction_head(x), config.labels(), true));
  }
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "modernbert-base",
             .title = "ModernBERT base",
             .config = R"({})",
             .parameters = 149655232,
             .sequence = 128},
    ModelRow{.name = "modernbert-large",
             .title = "ModernBERT large",
             .config = R"({"hidden_size": 1024, "intermediate_size": 2624, "num_hidden_layers": 28,
                           "num_attention_heads": 16})",
             .parameters = 395881664,
             .sequence = 128},
};

}  // namespace

const Architecture& modernbert_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "modernbert",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "ModernBertForMaskedLM",
      .build = build,
      .models = kModels,
      .more_originals = {"ModernBertModel", "ModernBertForSequenceClassification", "ModernBertForTokenClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
