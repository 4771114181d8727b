#include "models/parts/encoder.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "models/parts/attention.h"
#include "models/parts/cache.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/relative_bias.h"

namespace nongemm {

using namespace fn;

void Encoder::read(const Config& config) {
  vocabulary = config.positive("vocab_size", vocabulary);
  positions = config.bounded("max_position_embeddings", positions, kMostPositions);
  if (types > 0) types = config.positive("type_vocab_size", types);
  width = config.positive("hidden_size", width);
  layers = config.bounded("num_hidden_layers", layers, kMostLayers);
  heads = config.positive("num_attention_heads", heads);
  inner = config.positive("intermediate_size", inner);
  chunk = config.integer("chunk_size_feed_forward", chunk);
  padding = config.integer("pad_token_id", padding);
  activation = config.text("hidden_act", activation);
  epsilon = config.number("layer_norm_eps", epsilon);
  deviation = config.number("initializer_range", deviation);
  decoder = config.flag("is_decoder", false);
  cache = decoder && config.flag("use_cache", true);
  tied = config.flag("tie_word_embeddings", tied);
  if (words_width == 0) words_width = width;
  if (width % heads != 0) config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(width));
  if (chunk < 0) config.fail("chunk_size_feed_forward", "is negative");
  if (config.flag("add_cross_attention", false)) config.fail("add_cross_attention", "is not supported");
  if (positions_from_ids && (padding < 0 || padding + 1 >= positions)) {
    config.fail("pad_token_id", "leaves no position of max_position_embeddings " + std::to_string(positions));
  }
}

EncoderBuilder::EncoderBuilder(Builder& b, const Encoder& model, const ModelOptions& options, std::int64_t tokens)
    : b_(b), model_(model), options_(options), tokens_(tokens) {}

Tensor EncoderBuilder::linear(const std::string& name, const Tensor& x, std::int64_t out) {
  return nn::linear(b_, name, x, out, model_.init());
}

Tensor EncoderBuilder::norm(const std::string& name, const Tensor& x) {
  return nn::layer_norm(b_, name, x, model_.epsilon);
}

Tensor EncoderBuilder::base_model(bool under_head) {
  const TextInputs inputs = text_inputs(b_, options_, tokens_, model_.vocabulary, model_.types);
  if (!under_head) return model_body(inputs);
  const auto scope = b_.scope(model_.base, model_.family + "Model");
  return model_body(inputs);
}

Tensor EncoderBuilder::model_body(const TextInputs& inputs) {
  Tensor x = embeddings(inputs);
  if (model_.words_width != model_.width) x = linear("embeddings_project", x, model_.width);
  const Tensor mask = model_.decoder
                          ? causal_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_)
                          : bidirectional_mask(b_, inputs.mask, options_.batch, tokens_, options_.dtype, options_);
  const auto encoder = b_.scope("encoder", model_.family + "Encoder");
  if (model_.relative_buckets > 0) {
    // The original does not hand its number of buckets on: it always counts in 32.
    const Tensor bias =
        relative_bias(b_, {.from_key = true}, model_.relative_buckets, model_.heads, tokens_, model_.init());
    distances_ = contiguous(expand(bias, {options_.batch, -1, tokens_, tokens_}));
  }
  for (std::int64_t i = 0; i < model_.layers; ++i) x = layer(i, x, mask);
  return x;
}

Tensor EncoderBuilder::pooled(const Tensor& x, bool under_head) {
  const auto scope = b_.scope(under_head ? model_.base + ".pooler" : "pooler", model_.family + "Pooler");
  const Tensor y = linear("dense", select(x, 1, 0), model_.width);
  return activation(y, "tanh", "activation");
}

Tensor EncoderBuilder::decoded(const std::string& path, const Tensor& x) {
  if (!model_.tied) {  // the head's own `bias` is then a parameter that nothing reads
    b_.graph().checkpoint_rules.ignored.push_back(path + ".bias");
    return linear("decoder", x, model_.vocabulary);
  }
  const Tensor bias = b_.parameter("bias", {model_.vocabulary}, InitSpec::constant(0));
  b_.tie(words_, path + ".decoder.weight");
  b_.tie(bias, path + ".decoder.bias");
  const auto decoder = b_.scope("decoder", "Linear");
  return fn::linear(x, words_, bias);
}

Tensor EncoderBuilder::embeddings(const TextInputs& inputs) {
  const auto scope = b_.scope("embeddings", model_.family + "Embeddings");
  const auto table = [&](const char* name, std::int64_t rows) {
    return nn::embedding_table(b_, name, rows, model_.words_width, model_.init());
  };
  words_ = table("word_embeddings", model_.vocabulary);
  const Tensor positions = table("position_embeddings", model_.positions);
  const Tensor position_ids = model_.positions_from_ids ? counted_positions(inputs.ids) : taken_positions();
  Tensor type_ids = inputs.token_type_ids;
  if (model_.types > 0 && !type_ids) type_ids = default_types(position_ids);
  const std::int64_t padded_position = model_.positions_from_ids ? model_.padding : -1;
  Tensor x = nn::embedding(b_, "word_embeddings", words_, inputs.ids, model_.padding);
  if (model_.types > 0) {
    const Tensor types = table("token_type_embeddings", model_.types);
    x = add(x, nn::embedding(b_, "token_type_embeddings", types, type_ids));
  }
  x = add(x, nn::embedding(b_, "position_embeddings", positions, position_ids, padded_position));
  return norm("LayerNorm", x);
}

/// The first positions of a table that counts them: [1, tokens].
Tensor EncoderBuilder::taken_positions() {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(model_.positions));
  std::iota(numbers.begin(), numbers.end(), 0);
  const Tensor all =
      b_.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1, model_.positions}, numbers), "position_ids");
  return tokens_ == model_.positions ? all : slice(all, 1, 0, tokens_);
}

/// create_position_ids_from_input_ids: [batch, tokens]
Tensor EncoderBuilder::counted_positions(const Tensor& ids) {
  const Tensor used = to(b_.call("aten.ne.Scalar", {ids, model_.padding}), DType::kInt32);
  const Tensor counted = b_.call("aten.type_as.default", {b_.call("aten.cumsum.default", {used, 1}), used});
  const Tensor numbers =
      model_.relative_buckets > 0 ? counted : add(counted, 0);  // but MPNet, behind no earlier tokens
  return add(to(mul(numbers, used), DType::kInt64), model_.padding);
}

/// Type 0 everywhere, looked up in a table of zeros as the original does: [batch, tokens].
Tensor EncoderBuilder::default_types(const Tensor& position_ids) {
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(model_.positions), 0);
  Tensor all =
      b_.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1, model_.positions}, zeros), "token_type_ids");
  if (model_.positions_from_ids) all = b_.call("aten.to.dtype_layout", {all});
  const Tensor rows = expand(all, {position_ids.size(0), -1});
  return expand(b_.call("aten.gather.default", {rows, 1, position_ids}), {options_.batch, tokens_});
}

Tensor EncoderBuilder::layer(std::int64_t index, const Tensor& x, const Tensor& mask) {
  const auto scope = b_.scope("layer." + std::to_string(index), model_.family + "Layer");
  const Tensor attended = model_.relative_buckets > 0 ? mpnet_attention_block(x, mask) : attention_block(x, mask);
  if (model_.chunk == 0) return feed_forward(attended);
  std::vector<Tensor> pieces;  // apply_chunking_to_forward: less memory, the same result
  for (const Tensor& piece : chunk(attended, tokens_ / model_.chunk, 1)) pieces.push_back(feed_forward(piece));
  return cat(pieces, 1);
}

Tensor EncoderBuilder::attention_block(const Tensor& x, const Tensor& mask) {
  const auto scope = b_.scope("attention", model_.family + "Attention");
  Tensor out;
  {
    const auto self = b_.scope("self", model_.family + "SelfAttention");
    const std::int64_t head = model_.width / model_.heads;
    const Tensor query = split_heads(linear("query", x, model_.width), head);
    Tensor key = split_heads(linear("key", x, model_.width), head);
    Tensor value = split_heads(linear("value", x, model_.width), head);
    if (model_.cache) append_to_empty_cache(b_, key, value);
    out = attention(query, key, value, mask, 1.0 / std::sqrt(static_cast<double>(head)), options_.attention,
                    {.causal = model_.decoder});
    out = reshape(out, {options_.batch, tokens_, -1});
  }
  const auto output = b_.scope("output", model_.family + "SelfOutput");
  return norm("LayerNorm", add(linear("dense", out, model_.width), x));
}

Tensor EncoderBuilder::mpnet_attention_block(const Tensor& x, const Tensor& mask) {
  const auto scope = b_.scope("attention", model_.family + "Attention");
  Tensor out;
  {
    const auto self = b_.scope("attn", model_.family + "SelfAttention");
    const std::int64_t head = model_.width / model_.heads;
    const Tensor query = split_heads(linear("q", x, model_.width), head);
    const Tensor key = split_heads(linear("k", x, model_.width), head);
    const Tensor value = split_heads(linear("v", x, model_.width), head);
    Tensor scores = div(matmul(query, transpose(key, -1, -2)), std::sqrt(static_cast<double>(head)));
    scores = b_.call("aten.add_.Tensor", {scores, distances_});
    if (mask) scores = add(scores, mask);
    const Tensor mixed = contiguous(permute(matmul(softmax(scores, -1), value), {0, 2, 1, 3}));
    out = linear("o", view(mixed, {options_.batch, tokens_, model_.width}), model_.width);
  }
  return norm("LayerNorm", add(out, x));
}

Tensor EncoderBuilder::feed_forward(const Tensor& x) {
  Tensor y;
  {
    const auto intermediate = b_.scope("intermediate", model_.family + "Intermediate");
    y = activation(linear("dense", x, model_.inner), model_.activation, "intermediate_act_fn");
  }
  const auto output = b_.scope("output", model_.family + "Output");
  return norm("LayerNorm", add(linear("dense", y, model_.width), x));
}

}  // namespace nongemm
