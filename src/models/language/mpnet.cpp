// MPNet with and without a head: transformers MPNetForMaskedLM, MPNetModel, MPNetForSequenceClassification,
// MPNetForTokenClassification. Its attention is its own and never fused.
#include <array>
#include <string>

#include "models/architectures.h"
#include "models/parts/encoder.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

Tensor masked_language_head(Builder& b, EncoderBuilder& encoder, const Encoder& model, const Tensor& x) {
  const auto head = b.scope("lm_head", "MPNetLMHead");
  const Tensor y = fn::gelu(encoder.linear("dense", x, model.width));
  return encoder.decoded("lm_head", encoder.norm("layer_norm", y));
}

Tensor classification_head(Builder& b, EncoderBuilder& encoder, const Encoder& model, const Tensor& x,
                           std::int64_t labels) {
  const auto head = b.scope("classifier", "MPNetClassificationHead");
  const Tensor y = encoder.linear("dense", fn::select(x, 1, 0), model.width);
  return encoder.linear("out_proj", b.call("aten.tanh.default", {y}), labels);
}

Graph build(const Config& config, const ModelOptions& options) {
  Encoder model = {.family = "MPNet",
                   .base = "mpnet",
                   .vocabulary = 30527,
                   .types = 0,
                   .positions_from_ids = true,
                   .relative_buckets = 32};
  model.read(config);
  model.padding = 1;  // whatever pad_token_id says
  model.relative_buckets = config.positive("relative_attention_num_buckets", model.relative_buckets);
  if (model.relative_buckets < 32) {
    config.fail("relative_attention_num_buckets", "is less than the 32 that the original counts in");
  }
  ModelOptions eager = options;
  eager.attention = Attention::kEager;
  const std::string built = built_class(mpnet_architecture(), config);
  return build_encoder(model, config, eager, [&](Builder& b, EncoderBuilder encoder) {
    if (built == "MPNetModel") {
      const Tensor x = encoder.base_model(/*under_head=*/false);
      b.output("last_hidden_state", x);
      return b.output("pooler_output", encoder.pooled(x, /*under_head=*/false));
    }
    const Tensor x = encoder.base_model(/*under_head=*/true);
    b.graph().checkpoint_rules.ignored = {"mpnet.pooler.*"};
    if (built == "MPNetForSequenceClassification") {
      return b.output("logits", classification_head(b, encoder, model, x, config.labels()));
    }
    if (built == "MPNetForTokenClassification") {
      return b.output("logits", encoder.linear("classifier", x, config.labels()));
    }
    b.output("logits", masked_language_head(b, encoder, model, x));
  });
}

constexpr std::array kModels = {
    ModelRow{.name = "mpnet-base",
             .title = "MPNet base (sentence embeddings)",
             .config = R"({"architectures": ["MPNetModel"], "max_position_embeddings": 514, "layer_norm_eps": 1e-5})",
             .parameters = 109486464,
             .sequence = 128},
};

}  // namespace

const Architecture& mpnet_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "mpnet",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "MPNetForMaskedLM",
      .build = build,
      .models = kModels,
      .more_originals = {"MPNetModel", "MPNetForSequenceClassification", "MPNetForTokenClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
