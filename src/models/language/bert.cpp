// BERT with its masked-language-model head: transformers BertForMaskedLM.
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/cache.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

struct Bert {
  std::int64_t vocabulary, positions, types, width, layers, heads, inner, chunk, padding;
  std::string activation;
  double epsilon, deviation;
  bool decoder, cache, tied;

  explicit Bert(const Config& config)
      : vocabulary(config.positive("vocab_size", 30522)),
        positions(config.bounded("max_position_embeddings", 512, kMostPositions)),
        types(config.positive("type_vocab_size", 2)),
        width(config.positive("hidden_size", 768)),
        layers(config.bounded("num_hidden_layers", 12, kMostLayers)),
        heads(config.positive("num_attention_heads", 12)),
        inner(config.positive("intermediate_size", 3072)),
        chunk(config.integer("chunk_size_feed_forward", 0)),
        padding(config.integer("pad_token_id", 0)),
        activation(config.text("hidden_act", "gelu")),
        epsilon(config.number("layer_norm_eps", 1e-12)),
        deviation(config.number("initializer_range", 0.02)),
        decoder(config.flag("is_decoder", false)),
        cache(decoder && config.flag("use_cache", true)),
        tied(config.flag("tie_word_embeddings", true)) {
    if (width % heads != 0) {
      config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(width));
    }
    if (chunk < 0) config.fail("chunk_size_feed_forward", "is negative");
    if (config.flag("add_cross_attention", false)) config.fail("add_cross_attention", "is not supported");
  }
};

class BertBuilder {
 public:
  BertBuilder(Builder& b, const Bert& model, const ModelOptions& options, std::int64_t tokens)
      : b_(b), model_(model), options_(options), tokens_(tokens) {}

  Graph build() {
    const TextInputs inputs = text_inputs(b_, options_, tokens_, model_.vocabulary, model_.types);
    Tensor x;
    {
      const auto bert = b_.scope("bert", "BertModel");
      x = embeddings(inputs);
      const Tensor mask = model_.decoder
                              ? causal_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_)
                              : bidirectional_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_);
      const auto encoder = b_.scope("encoder", "BertEncoder");
      for (std::int64_t i = 0; i < model_.layers; ++i) x = layer(i, x, mask);
    }
    b_.output("logits", head(x));
    return b_.finish();
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation));
  }
  Tensor norm(const Tensor& x) { return nn::layer_norm(b_, "LayerNorm", x, model_.epsilon); }

  Tensor embeddings(const TextInputs& inputs) {
    const auto scope = b_.scope("embeddings", "BertEmbeddings");
    words_ = nn::embedding_table(b_, "word_embeddings", model_.vocabulary, model_.width,
                                 InitSpec::normal(0, model_.deviation));
    const Tensor positions = nn::embedding_table(b_, "position_embeddings", model_.positions, model_.width,
                                                 InitSpec::normal(0, model_.deviation));
    const Tensor types = nn::embedding_table(b_, "token_type_embeddings", model_.types, model_.width,
                                             InitSpec::normal(0, model_.deviation));
    const Tensor position_ids = taken_positions();
    const Tensor type_ids = inputs.token_type_ids ? inputs.token_type_ids : default_types(position_ids);
    Tensor x = nn::embedding(b_, "word_embeddings", words_, inputs.ids, model_.padding);
    x = add(x, nn::embedding(b_, "token_type_embeddings", types, type_ids));
    x = add(x, nn::embedding(b_, "position_embeddings", positions, position_ids));
    return norm(x);
  }

  /// The first positions of a table that counts them: [1, tokens].
  Tensor taken_positions() {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(model_.positions));
    std::iota(numbers.begin(), numbers.end(), 0);
    const Tensor all =
        b_.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1, model_.positions}, numbers), "position_ids");
    return tokens_ == model_.positions ? all : slice(all, 1, 0, tokens_);
  }

  /// Type 0 everywhere, looked up in a table of zeros as the original does: [batch, tokens].
  Tensor default_types(const Tensor& position_ids) {
    const std::vector<std::int64_t> zeros(static_cast<std::size_t>(model_.positions), 0);
    const Tensor all =
        b_.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1, model_.positions}, zeros), "token_type_ids");
    const Tensor row = b_.call("aten.gather.default", {expand(all, {1, -1}), 1, position_ids});
    return expand(row, {options_.batch, tokens_});
  }

  Tensor layer(std::int64_t index, const Tensor& x, const Tensor& mask) {
    const auto scope = b_.scope("layer." + std::to_string(index), "BertLayer");
    const Tensor attended = attention_block(x, mask);
    if (model_.chunk == 0) return feed_forward(attended);
    std::vector<Tensor> pieces;  // apply_chunking_to_forward: less memory, the same result
    for (const Tensor& piece : chunk(attended, tokens_ / model_.chunk, 1)) pieces.push_back(feed_forward(piece));
    return cat(pieces, 1);
  }

  Tensor attention_block(const Tensor& x, const Tensor& mask) {
    const auto scope = b_.scope("attention", "BertAttention");
    Tensor out;
    {
      const auto self = b_.scope("self", "BertSelfAttention");
      const std::int64_t head = model_.width / model_.heads;
      const Tensor query = split_heads(linear("query", x, model_.width), head);
      Tensor key = split_heads(linear("key", x, model_.width), head);
      Tensor value = split_heads(linear("value", x, model_.width), head);
      if (model_.cache) append_to_empty_cache(b_, key, value);
      out = attention(query, key, value, mask, 1.0 / std::sqrt(static_cast<double>(head)), options_.attention,
                      {.causal = model_.decoder});
      out = reshape(out, {options_.batch, tokens_, -1});
    }
    const auto output = b_.scope("output", "BertSelfOutput");
    return norm(add(linear("dense", out, model_.width), x));
  }

  Tensor feed_forward(const Tensor& x) {
    Tensor y;
    {
      const auto intermediate = b_.scope("intermediate", "BertIntermediate");
      y = activation(linear("dense", x, model_.inner), model_.activation, "intermediate_act_fn");
    }
    const auto output = b_.scope("output", "BertOutput");
    return norm(add(linear("dense", y, model_.width), x));
  }

  Tensor head(Tensor x) {
    const auto cls = b_.scope("cls", "BertOnlyMLMHead");
    const auto predictions = b_.scope("predictions", "BertLMPredictionHead");
    {
      const auto transform = b_.scope("transform", "BertPredictionHeadTransform");
      x = norm(activation(linear("dense", x, model_.width), model_.activation, "transform_act_fn"));
    }
    if (!model_.tied) {  // the head's own `bias` is then a parameter that nothing reads
      b_.graph().checkpoint_rules.ignored.emplace_back("cls.predictions.bias");
      return linear("decoder", x, model_.vocabulary);
    }
    const Tensor bias = b_.parameter("bias", {model_.vocabulary}, InitSpec::constant(0));
    b_.tie(words_, "cls.predictions.decoder.weight");
    b_.tie(bias, "cls.predictions.decoder.bias");
    const auto decoder = b_.scope("decoder", "Linear");
    return fn::linear(x, words_, bias);
  }

  Builder& b_;
  const Bert& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  Tensor words_;
};

Graph build(const Config& config, const ModelOptions& options) {
  const Bert model(config);
  const std::int64_t tokens = checked_tokens(config, options, model.positions, "max_position_embeddings");
  if (model.chunk > 0 && tokens % model.chunk != 0) {
    config.fail("chunk_size_feed_forward", "does not divide the " + std::to_string(tokens) + " tokens");
  }
  Builder b("bert", options.dtype);
  b.graph().attributes["sequence"] = std::to_string(tokens);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {
      .ignored = {"bert.pooler.*", "cls.seq_relationship.*"},
      .optional_prefixes = {"bert."},
      .renames = {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}}};
  return BertBuilder(b, model, options, tokens).build();
}

constexpr std::array kModels = {
    ModelRow{.name = "bert", .title = "BERT", .config = "{}", .parameters = 109514298, .sequence = 128},
    ModelRow{.name = "bert-large",
             .title = "BERT Large",
             .config = R"({"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                           "intermediate_size": 4096})",
             .parameters = 335174458,
             .sequence = 128},
};

}  // namespace

const Architecture& bert_architecture() {
  static const Architecture kArchitecture = {.model_type = "bert",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "BertForMaskedLM",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
