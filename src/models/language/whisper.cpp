// Whisper, encoder and decoder: transformers WhisperForConditionalGeneration, WhisperModel.
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/cache.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/parts/modules.h"
#include "models/parts/named_inputs.h"
#include "models/parts/text_inputs.h"

namespace nongemm {
namespace {

using namespace fn;

/// The original builds its norms without a configured epsilon.
constexpr double kEpsilon = 1e-5;

struct Stack {
  std::int64_t layers, heads, inner;
};

struct Whisper {
  std::int64_t vocabulary, mel_bins, width, sources, targets, padding;
  Stack encoder, decoder;
  std::string activation;
  double deviation;
  bool cache, tied;

  explicit Whisper(const Config& config)
      : vocabulary(config.positive("vocab_size", 51865)),
        mel_bins(config.positive("num_mel_bins", 80)),
        width(config.positive("d_model", "hidden_size", 384)),
        sources(config.bounded("max_source_positions", 1500, kMostPositions)),
        targets(config.bounded("max_target_positions", 448, kMostPositions)),
        padding(config.integer("pad_token_id", 50256)),
        encoder{config.bounded("encoder_layers", 4, kMostLayers), config.positive("encoder_attention_heads", 6),
                config.positive("encoder_ffn_dim", 1536)},
        decoder{config.bounded("decoder_layers", 4, kMostLayers), config.positive("decoder_attention_heads", 6),
                config.positive("decoder_ffn_dim", 1536)},
        activation(config.text("activation_function", "gelu")),
        deviation(config.number("init_std", 0.02)),
        cache(config.flag("use_cache", true)),
        tied(config.flag("tie_word_embeddings", true)) {
    if (width % encoder.heads != 0) config.fail("encoder_attention_heads", "does not divide d_model");
    if (width % decoder.heads != 0) config.fail("decoder_attention_heads", "does not divide d_model");
    if (padding < 0 || padding >= vocabulary) config.fail("pad_token_id", "is no token of vocab_size");
  }
  InitSpec init() const { return InitSpec::normal(0, deviation); }
};

class WhisperBuilder {
 public:
  WhisperBuilder(Builder& b, const Whisper& model, const ModelOptions& options)
      : b_(b), model_(model), options_(options) {}

  /// WhisperEncoder: features [batch, mel bins, frames] -> [batch, frames / 2, width]
  Tensor encode(const Tensor& features) {
    const auto scope = b_.scope("encoder", "WhisperEncoder");
    Tensor x = gelu(convolution("conv1", features, 1));
    x = permute(gelu(convolution("conv2", x, 2)), {0, 2, 1});
    const Tensor table = nn::embedding_table(b_, "embed_positions", model_.sources, model_.width, model_.init());
    const Tensor positions = b_.call("aten.arange.default", {model_.sources});
    x = add(x, nn::embedding(b_, "embed_positions", table, positions));
    for (std::int64_t i = 0; i < model_.encoder.layers; ++i) {
      const auto layer = b_.scope("layers." + std::to_string(i), "WhisperEncoderLayer");
      x = attend(model_.encoder, "self_attn", x, {}, {});
      x = feed_forward(model_.encoder, x);
      if (x.dtype() == DType::kFloat16) {
        constexpr double kLargest = 65504.0 - 1000.0;
        x = b_.call("aten.clamp.default", {x, -kLargest, kLargest});
      }
    }
    return norm("layer_norm", x);
  }

  /// WhisperDecoder: ids [batch, tokens] -> [batch, tokens, width]
  Tensor decode(const Tensor& ids, const Tensor& memory) {
    const auto scope = b_.scope("decoder", "WhisperDecoder");
    words_ = nn::embedding_table(b_, "embed_tokens", model_.vocabulary, model_.width, model_.init());
    Tensor x = nn::embedding(b_, "embed_tokens", words_, ids, model_.padding);
    const std::int64_t tokens = ids.size(1);
    const Tensor counted = unsqueeze(add(b_.call("aten.arange.default", {tokens}), 0), 0);
    const Tensor positions = b_.call("aten.repeat.default", {counted, Shape{options_.batch, 1}});
    Tensor embedded;
    {
      const auto embedding = b_.scope("embed_positions", "WhisperPositionalEmbedding");
      const Tensor table = b_.parameter("weight", {model_.targets, model_.width}, model_.init());
      embedded = b_.call("aten.index.Tensor", {table, std::vector<Tensor>{positions}});
    }
    x = add(x, b_.call("aten.to.dtype_layout", {embedded}));
    if (!model_.cache) check_for_packing(b_, positions, options_.batch);
    const Tensor mask = causal_mask(b_, {}, options_.batch, tokens, options_.dtype, options_);
    for (std::int64_t i = 0; i < model_.decoder.layers; ++i) {
      const auto layer = b_.scope("layers." + std::to_string(i), "WhisperDecoderLayer");
      x = attend(model_.decoder, "self_attn", x, {}, mask, /*cached=*/model_.cache, /*causal=*/true);
      x = attend(model_.decoder, "encoder_attn", x, memory, {}, /*cached=*/model_.cache);
      x = feed_forward(model_.decoder, x);
    }
    return norm("layer_norm", x);
  }

  Tensor logits(const Tensor& x) {
    if (!model_.tied) return nn::linear(b_, "proj_out", x, model_.vocabulary, model_.init(), /*bias=*/false);
    b_.tie(words_, "proj_out.weight");
    const auto scope = b_.scope("proj_out", "Linear");
    return fn::linear(x, words_);
  }

 private:
  Tensor norm(const std::string& name, const Tensor& x) { return nn::layer_norm(b_, name, x, kEpsilon); }

  Tensor convolution(const char* name, const Tensor& x, std::int64_t stride) {
    const auto scope = b_.scope(name, "Conv1d");
    constexpr std::int64_t kKernel = 3;
    const InitSpec init = InitSpec::normal(0, 1.0 / std::sqrt(static_cast<double>(x.size(1) * kKernel)));
    const Tensor weight = b_.parameter("weight", {model_.width, x.size(1), kKernel}, init);
    const Tensor bias = b_.parameter("bias", {model_.width}, InitSpec::constant(0));
    return b_.call("aten.conv1d.default", {x, weight, bias, Shape{stride}, Shape{1}, Shape{1}, 1});
  }

  /// A norm and attention, added to what they took. Cross-attention where there is a memory.
  Tensor attend(const Stack& stack, const std::string& name, const Tensor& x, const Tensor& memory, const Tensor& mask,
                bool cached = false, bool causal = false) {
    const Tensor normed = norm(name + "_layer_norm", x);
    const auto scope = b_.scope(name, "WhisperAttention");
    const std::int64_t head = model_.width / stack.heads;
    const auto heads = [&](const Tensor& y, const Shape& shape) { return contiguous(transpose(view(y, shape), 1, 2)); };
    const auto project = [&](const char* projection, const Tensor& from, bool bias) {
      return nn::linear(b_, projection, from, model_.width, model_.init(), bias);
    };
    const std::int64_t batch = x.size(0);
    const double scaling = 1.0 / std::sqrt(static_cast<double>(head));
    const Tensor query = heads(mul(project("q_proj", normed, true), scaling), {batch, x.size(1), -1, head});
    const Tensor& from = memory ? memory : normed;
    Tensor key = heads(project("k_proj", from, false), {batch, -1, stack.heads, head});
    Tensor value = heads(project("v_proj", from, true), {batch, -1, stack.heads, head});
    if (cached) append_to_empty_cache(b_, key, value);
    const Tensor out = attention(query, key, value, mask, 1.0, options_.attention, {.causal = causal});
    return add(x, project("out_proj", reshape(out, {batch, x.size(1), -1}), true));
  }

  Tensor feed_forward(const Stack& stack, const Tensor& x) {
    const Tensor hidden = nn::linear(b_, "fc1", norm("final_layer_norm", x), stack.inner, model_.init());
    const Tensor active = activation(hidden, model_.activation, "activation_fn");
    return add(x, nn::linear(b_, "fc2", active, model_.width, model_.init()));
  }

  Builder& b_;
  const Whisper& model_;
  const ModelOptions& options_;
  Tensor words_;
};

Graph build(const Config& config, const ModelOptions& options) {
  const Whisper model(config);
  check_input_names(options, {"input_features", "decoder_input_ids"});
  const Shape features = {options.batch, model.mel_bins, 2 * model.sources};
  const std::int64_t usual_tokens = options.sequence.value_or(model.targets);
  const Shape ids =
      input_shape(options, "decoder_input_ids", {{options.batch, kDynamic}}, {options.batch, usual_tokens});
  ModelOptions with_tokens = options;
  with_tokens.sequence = ids[1];
  checked_tokens(config, with_tokens, model.targets, "max_target_positions");

  Builder b("whisper", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules.optional_prefixes = {"model."};
  const Tensor input =
      b.input("input_features", options.dtype, input_shape(options, "input_features", {features}, features),
              {InputKind::Content::kPixels, 0});
  const Tensor tokens =
      b.input("decoder_input_ids", DType::kInt64, ids, {InputKind::Content::kTokens, model.vocabulary});
  WhisperBuilder whisper(b, model, options);
  if (built_class(whisper_architecture(), config) == "WhisperModel") {
    const Tensor memory = whisper.encode(input);
    b.output("last_hidden_state", whisper.decode(tokens, memory));
    b.output("encoder_last_hidden_state", memory);
    return b.finish();
  }
  Tensor memory;
  Tensor x;
  {
    const auto scope = b.scope("model", "WhisperModel");
    memory = whisper.encode(input);
    x = whisper.decode(tokens, memory);
  }
  b.output("logits", whisper.logits(x));
  b.output("encoder_last_hidden_state", memory);
  return b.finish();
}

constexpr std::int64_t kUsualTokens = 64;

constexpr std::array kModels = {
    ModelRow{.name = "whisper-tiny",
             .title = "Whisper tiny",
             .config = "{}",
             .parameters = 37760640,
             .sequence = kUsualTokens},
    ModelRow{.name = "whisper-small",
             .title = "Whisper small",
             .config = R"({"d_model": 768, "encoder_layers": 12, "decoder_layers": 12, "encoder_attention_heads": 12,
                           "decoder_attention_heads": 12, "encoder_ffn_dim": 3072, "decoder_ffn_dim": 3072})",
             .parameters = 241734912,
             .sequence = kUsualTokens},
    ModelRow{.name = "whisper-large-v3",
             .title = "Whisper large v3",
             .config = R"({"d_model": 1280, "encoder_layers": 32, "decoder_layers": 32, "encoder_attention_heads": 20,
                           "decoder_attention_heads": 20, "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120,
                           "num_mel_bins": 128, "vocab_size": 51866})",
             .parameters = 1543490560,
             .sequence = kUsualTokens},
};

}  // namespace

const Architecture& whisper_architecture() {
  static const Architecture kArchitecture = {.model_type = "whisper",
                                             .domain = Domain::kSpeech,
                                             .dataset = "LibriSpeech",
                                             .original = "WhisperForConditionalGeneration",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"WhisperModel"}};
  return kArchitecture;
}

}  // namespace nongemm
