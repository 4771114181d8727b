// Llama 2 and 3 with the language-model head: transformers LlamaForCausalLM.
#include <array>
#include <cmath>
#include <string>

#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/cache.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/rope.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

struct Llama {
  std::int64_t vocabulary, positions, width, layers, heads, key_heads, head_width, inner, padding;
  std::string activation;
  double epsilon, deviation;
  bool attention_bias, mlp_bias, cache, tied;
  Rope rope;

  explicit Llama(const Config& config)
      : vocabulary(config.positive("vocab_size", 32000)),
        positions(config.positive("max_position_embeddings", 2048)),
        width(config.positive("hidden_size", 4096)),
        layers(config.bounded("num_hidden_layers", 32, kMostLayers)),
        heads(config.positive("num_attention_heads", 32)),
        key_heads(config.positive("num_key_value_heads", heads)),
        head_width(config.bounded("head_dim", width / heads, kMostPositions)),
        inner(config.positive("intermediate_size", 11008)),
        padding(config.integer("pad_token_id", -1)),
        activation(config.text("hidden_act", "silu")),
        epsilon(config.number("rms_norm_eps", 1e-6)),
        deviation(config.number("initializer_range", 0.02)),
        attention_bias(config.flag("attention_bias", false)),
        mlp_bias(config.flag("mlp_bias", false)),
        cache(config.flag("use_cache", true)),
        tied(config.flag("tie_word_embeddings", false)) {
    if (width % heads != 0) {
      config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(width));
    }
    if (heads % key_heads != 0) {
      config.fail("num_key_value_heads", "does not divide num_attention_heads " + std::to_string(heads));
    }
    if (head_width % 2 != 0) config.fail("head_dim", "is odd; rotary embedding needs pairs");
    rope = Rope::read(config, head_width, positions);
  }
};

class LlamaBuilder {
 public:
  LlamaBuilder(Builder& b, const Llama& model, const ModelOptions& options, std::int64_t tokens)
      : b_(b), model_(model), options_(options), tokens_(tokens) {}

  Graph build() {
    const TextInputs inputs = text_inputs(b_, options_, tokens_, model_.vocabulary, 0);
    Tensor x;
    Tensor words;
    {
      const auto scope = b_.scope("model", "LlamaModel");
      words = nn::embedding_table(b_, "embed_tokens", model_.vocabulary, model_.width,
                                  InitSpec::normal(0, model_.deviation));
      x = nn::embedding(b_, "embed_tokens", words, inputs.ids, model_.padding);
      const Tensor positions = unsqueeze(add(b_.call("aten.arange.default", {tokens_}), 0), 0);
      if (!model_.cache && !inputs.mask) check_for_packing(b_, positions, options_.batch);
      const Tensor mask = causal_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_);
      RotaryTables tables;
      {
        const auto rotary = b_.scope("rotary_emb", "LlamaRotaryEmbedding");
        tables = rotary_tables(b_, model_.rope, positions, options_.dtype);
      }
      for (std::int64_t i = 0; i < model_.layers; ++i) x = layer(i, x, tables, mask);
      x = norm("norm", x);
    }
    if (!model_.tied) {
      b_.output("logits", linear("lm_head", x, model_.vocabulary, false));
    } else {
      b_.tie(words, "lm_head.weight");
      const auto head = b_.scope("lm_head", "Linear");
      b_.output("logits", fn::linear(x, words));
    }
    return b_.finish();
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out, bool bias) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation), bias);
  }

  /// LlamaRMSNorm: in fp32 whatever the model's dtype.
  Tensor norm(const std::string& name, const Tensor& x) {
    const auto scope = b_.scope(name, "LlamaRMSNorm");
    const Tensor weight = b_.parameter("weight", {model_.width}, InitSpec::constant(1));
    const Tensor wide = to(x, DType::kFloat32);
    const Tensor variance = mean(pow(wide, 2), -1, true);
    const Tensor normalised = mul(wide, rsqrt(add(variance, model_.epsilon)));
    return mul(weight, to(normalised, x.dtype()));
  }

  Tensor layer(std::int64_t index, Tensor x, const RotaryTables& tables, const Tensor& mask) {
    const auto scope = b_.scope("layers." + std::to_string(index), "LlamaDecoderLayer");
    x = add(x, attention_block(norm("input_layernorm", x), tables, mask));
    return add(x, feed_forward(norm("post_attention_layernorm", x)));
  }

  Tensor attention_block(const Tensor& x, const RotaryTables& tables, const Tensor& mask) {
    const auto scope = b_.scope("self_attn", "LlamaAttention");
    const auto project = [&](const char* name, std::int64_t heads) {
      return split_heads(linear(name, x, heads * model_.head_width, model_.attention_bias), model_.head_width);
    };
    Tensor query = project("q_proj", model_.heads);
    Tensor key = project("k_proj", model_.key_heads);
    Tensor value = project("v_proj", model_.key_heads);
    rotate(tables, query, key);
    if (model_.cache) append_to_empty_cache(b_, key, value);
    const Tensor out = attention(query, key, value, mask, 1.0 / std::sqrt(static_cast<double>(model_.head_width)),
                                 options_.attention, {.fp32_softmax = true, .causal = true});
    return linear("o_proj", reshape(out, {options_.batch, tokens_, -1}), model_.width, model_.attention_bias);
  }

  Tensor feed_forward(const Tensor& x) {
    const auto scope = b_.scope("mlp", "LlamaMLP");
    const Tensor gate = activation(linear("gate_proj", x, model_.inner, model_.mlp_bias), model_.activation, "act_fn");
    const Tensor up = linear("up_proj", x, model_.inner, model_.mlp_bias);
    return linear("down_proj", mul(gate, up), model_.width, model_.mlp_bias);
  }

  Builder& b_;
  const Llama& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
};

Graph build(const Config& config, const ModelOptions& options) {
  const Llama model(config);
  // Rotary tables have no end: only a run that was asked for by length, not by inputs, is held to the trained context.
  const bool unlimited = model.rope.grows() || options.sequence_from_inputs;
  const std::int64_t tokens = unlimited && options.sequence.value_or(0) > 0
                                  ? *options.sequence
                                  : checked_tokens(config, options, model.positions, "max_position_embeddings");
  Builder b("llama", options.dtype);
  b.graph().attributes["sequence"] = std::to_string(tokens);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"*.rotary_emb.inv_freq"}, .optional_prefixes = {"model."}, .renames = {}};
  return LlamaBuilder(b, model, options, tokens).build();
}

constexpr std::array kModels = {
    ModelRow{.name = "llama2-7b",
             .title = "Llama 2 7B",
             .config = R"({"max_position_embeddings": 4096, "rms_norm_eps": 1e-5})",
             .parameters = 6738415616,
             .sequence = 2048},
    ModelRow{.name = "llama3-8b",
             .title = "Llama 3 8B",
             .config = R"({"vocab_size": 128256, "intermediate_size": 14336, "num_key_value_heads": 8,
                           "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0})",
             .parameters = 8030261248,
             .sequence = 2048},
    ModelRow{.name = "llama3.2-1b",
             .title = "Llama 3.2 1B",
             .config = R"({"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192,
                           "num_hidden_layers": 16, "num_key_value_heads": 8, "head_dim": 64,
                           "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
                           "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
                                            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
                           "tie_word_embeddings": true})",
             .parameters = 1235814400,
             .sequence = 2048},
    ModelRow{.name = "tinyllama-1.1b",
             .title = "TinyLlama 1.1B",
             .config = R"({"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22,
                           "num_key_value_heads": 4, "rms_norm_eps": 1e-5})",
             .parameters = 1100048384,
             .sequence = 2048},
};

}  // namespace

const Architecture& llama_architecture() {
  static const Architecture kArchitecture = {.model_type = "llama",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "LlamaForCausalLM",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
