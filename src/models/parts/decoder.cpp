#include "models/parts/decoder.h"

#include <algorithm>
#include <cmath>

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

/// What a layer's kind of attention needs: its mask and its rotary tables.
struct LayerKind {
  Tensor mask;
  RotaryTables tables;
};

class DecoderBuilder {
 public:
  DecoderBuilder(Builder& b, const Decoder& model, const ModelOptions& options, std::int64_t tokens)
      : b_(b), model_(model), options_(options), tokens_(tokens), cache_(b, options, tokens, model.drops_cache) {}

  Graph build(const Config& config) {
    const PassInputs inputs = inputs_of(config);
    Tensor words;
    Tensor x;
    {
      const auto scope = b_.scope("model", model_.model_class);
      words = nn::embedding_table(b_, "embed_tokens", model_.vocabulary, model_.width,
                                  InitSpec::normal(0, model_.deviation));
      x = word_vectors(words, inputs.ids);
      prepare_kinds(inputs);
      for (std::int64_t i = 0; i < model_.layers; ++i) x = layer(i, x);
      x = norm("norm", x);
    }
    cache_.advance();
    if (options_.pass) x = last_token(x);
    Tensor logits = head(x, words);
    if (model_.final_softcap != 0.0) logits = soft_capped(logits, model_.final_softcap);
    if (options_.pass) {
      finish_pass(b_, options_, inputs, logits);
    } else {
      b_.output("logits", logits);
    }
    return b_.finish();
  }

 private:
  PassInputs inputs_of(const Config& config) {
    if (options_.pass) {
      const bool unlimited = model_.rope.grows() || options_.sequence_from_inputs;
      return pass_inputs(b_, config, options_, model_.vocabulary, unlimited ? 0 : model_.positions,
                         "max_position_embeddings");
    }
    const TextInputs inputs = text_inputs(b_, options_, tokens_, model_.vocabulary, 0);
    return {.ids = inputs.ids, .mask = inputs.mask, .positions = {}};
  }

  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out, bool bias) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation), bias);
  }
  Tensor norm(const std::string& name, const Tensor& x) {
    return rms_norm(b_, name, model_.family + "RMSNorm", x, model_.epsilon, model_.norm);
  }

  Tensor word_vectors(const Tensor& words, const Tensor& ids) {
    if (!model_.scaled_words) return nn::embedding(b_, "embed_tokens", words, ids, model_.padding);
    const auto scope = b_.scope("embed_tokens", model_.family + "TextScaledWordEmbedding");
    const auto scale = static_cast<float>(std::sqrt(static_cast<double>(model_.width)));
    const Tensor factor = b_.constant(HostTensor::from<float>(DType::kFloat32, {}, {scale}));
    const Tensor looked_up = embedding(words, ids, model_.padding);
    return mul(looked_up, to(factor, options_.dtype));
  }

  /// The first layer of a kind; 0 where there is none.
  std::int64_t first_layer(bool sliding) const {
    const auto at = std::find(model_.sliding.begin(), model_.sliding.end(), sliding);
    return at == model_.sliding.end() ? 0 : at - model_.sliding.begin();
  }

  /// As the cache has it for layers of a kind.
  MaskSpan span_of(bool sliding) {
    const std::int64_t layer = first_layer(sliding);
    return cache_.span(layer, window_of(layer));
  }

  /// What layer's keys fall out of the cache.
  std::int64_t window_of(std::int64_t layer) const {
    return model_.sliding.at(static_cast<std::size_t>(layer)) ? model_.window : kNoWindow;
  }

  /// Masks, then tables, of the kinds of layers that there are.
  void prepare_kinds(const PassInputs& inputs) {
    const Tensor positions = inputs.positions ? inputs.positions : cache_.positions(window_of(0));
    const auto any = [&](bool sliding) {
      return std::find(model_.sliding.begin(), model_.sliding.end(), sliding) != model_.sliding.end();
    };
    const auto mask = [&](bool sliding) {
      const std::int64_t window = sliding ? model_.window : kNoWindow;
      if (!options_.pass && !model_.cache && !inputs.mask) check_for_packing(b_, positions, options_.batch);
      return causal_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_, window, span_of(sliding));
    };
    if (model_.always_full_mask || any(false)) full_.mask = mask(false);
    if (model_.always_sliding_mask || any(true)) sliding_.mask = mask(true);
    const auto rotary = b_.scope("rotary_emb", model_.family + "RotaryEmbedding");
    const auto tables = [&](const Rope& rope) {
      return rotary_tables(b_, rope, positions, options_.dtype, cache_.length());
    };
    if (!model_.sliding_rope) {
      full_.tables = sliding_.tables = tables(model_.rope);
      return;
    }
    if (any(false)) full_.tables = tables(model_.rope);
    if (any(true)) sliding_.tables = tables(*model_.sliding_rope);
  }

  void turn(const RotaryTables& tables, Tensor& query, Tensor& key) {
    switch (model_.rotation) {
      case Rotation::kWhole:
        return rotate(tables, query, key);
      case Rotation::kPart:
        return rotate_part(tables, query, key);
      case Rotation::kHalves:
        return rotate_halves(tables, query, key);
    }
  }

  Tensor layer(std::int64_t index, Tensor x) {
    const auto scope = b_.scope("layers." + std::to_string(index), model_.family + "DecoderLayer");
    const bool sliding = model_.sliding.at(static_cast<std::size_t>(index));
    Tensor y = attention_block(norm("input_layernorm", x), index, sliding);
    if (model_.sandwich_norms) y = norm("post_attention_layernorm", y);
    x = add(x, y);
    y = norm(model_.sandwich_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm", x);
    const bool sparse = model_.experts && model_.sparse.at(static_cast<std::size_t>(index));
    y = sparse ? mixture_of_experts(b_, *model_.experts, y, options_.device) : feed_forward(y);
    if (model_.sandwich_norms) y = norm("post_feedforward_layernorm", y);
    return add(x, y);
  }

  struct Projections {
    Tensor query, key, value;  // [batch, heads, tokens, width]
  };

  Projections projections(const Tensor& x) {
    const std::int64_t query_width = model_.heads * model_.head_width;
    const std::int64_t key_width = model_.key_heads * model_.head_width;
    if (model_.fused_projections) {
      const Tensor all = linear("qkv_proj", x, query_width + 2 * key_width, model_.qkv_bias);
      const Tensor query = index_slice(all, 2, 0, query_width);
      const Tensor key = index_slice(all, 2, query_width, query_width + key_width);
      const Tensor value = index_slice(all, 2, query_width + key_width);
      const Tensor query_heads = split_heads(query, model_.head_width);
      const Tensor key_heads = split_heads(key, model_.head_width);
      return {query_heads, key_heads, split_heads(value, model_.head_width)};
    }
    const Tensor query = project("q", x, query_width);
    const Tensor key = project("k", x, key_width);
    Projections result{query, key, project("v", x, key_width)};
    if (model_.head_norm == HeadNorm::kAfterTranspose) {
      result.query = norm("q_norm", result.query);
      result.key = norm("k_norm", result.key);
    }
    return result;
  }

  /// @param which "q", "k" or "v"
  Tensor project(const std::string& which, const Tensor& x, std::int64_t out) {
    const Tensor flat = linear(which + "_proj", x, out, model_.qkv_bias);
    Tensor heads = view(flat, {x.size(0), x.size(1), -1, model_.head_width});
    if (model_.head_norm == HeadNorm::kBeforeTranspose && which != "v") heads = norm(which + "_norm", heads);
    return transpose(heads, 1, 2);
  }

  Tensor attention_block(const Tensor& x, std::int64_t index, bool sliding) {
    const auto scope = b_.scope("self_attn", model_.family + "Attention");
    const LayerKind& kind = sliding ? sliding_ : full_;
    auto [query, key, value] = projections(x);
    turn(kind.tables, query, key);
    if (model_.cache || options_.pass) cache_.update(index, key, value, sliding ? model_.window : kNoWindow);
    const double scaling = model_.scaling.value_or(1.0 / std::sqrt(static_cast<double>(model_.head_width)));
    AttentionStyle style = {.fp32_softmax = true, .causal = true, .softcap = model_.attention_softcap};
    if (model_.sinks) style.sinks = b_.parameter("sinks", {model_.heads}, InitSpec::normal(0, model_.deviation));
    const Tensor out = attention(query, key, value, kind.mask, scaling, options_.attention, style);
    return linear("o_proj", reshape(out, {options_.batch, tokens_, -1}), model_.width, model_.output_bias);
  }

  Tensor feed_forward(const Tensor& x) {
    const auto scope = b_.scope("mlp", model_.family + "MLP");
    const char* module = model_.activation_module.c_str();
    if (model_.fused_projections) {
      const std::vector<Tensor> both = chunk(linear("gate_up_proj", x, 2 * model_.inner, model_.mlp_bias), 2, -1);
      const Tensor gated = mul(both[1], fn::activation(both[0], model_.activation, module));
      return linear("down_proj", gated, model_.width, model_.mlp_bias);
    }
    const Tensor gate =
        fn::activation(linear("gate_proj", x, model_.inner, model_.mlp_bias), model_.activation, module);
    const Tensor up = linear("up_proj", x, model_.inner, model_.mlp_bias);
    return linear("down_proj", mul(gate, up), model_.width, model_.mlp_bias);
  }

  Tensor head(const Tensor& x, const Tensor& words) {
    if (!model_.tied) return linear("lm_head", x, model_.vocabulary, false);
    b_.tie(words, "lm_head.weight");
    const auto scope = b_.scope("lm_head", "Linear");
    return fn::linear(x, words);
  }

  Builder& b_;
  const Decoder& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  KeyValueCache cache_;
  LayerKind full_, sliding_;
};

}  // namespace

Graph build_decoder(const Decoder& decoder, const Config& config, const ModelOptions& options) {
  // Rotary tables have no end: only a run that was asked for by length, not by inputs, is held to the trained context.
  const bool unlimited = decoder.rope.grows() || options.sequence_from_inputs || options.pass;
  const std::int64_t tokens = unlimited && options.sequence.value_or(0) > 0
                                  ? *options.sequence
                                  : checked_tokens(config, options, decoder.positions, "max_position_embeddings");
  Builder b(config.text("model_type", decoder.family), options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"*.rotary_emb.inv_freq"},
                                .optional_prefixes = {"model."},
                                .renames = decoder.renames,
                                .pieces = decoder.pieces};
  return DecoderBuilder(b, decoder, options, tokens).build(config);
}

}  // namespace nongemm
