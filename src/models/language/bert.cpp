// BERT with and without a head: transformers BertForMaskedLM, BertModel, BertForSequenceClassification,
// BertForTokenClassification.
#include <array>
#include <string>

#include "models/architectures.h"
#include "models/parts/encoder.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

Tensor masked_language_head(Builder& b, EncoderBuilder& encoder, const Encoder& model, Tensor x) {
  const auto cls = b.scope("cls", "BertOnlyMLMHead");
  const auto predictions = b.scope("predictions", "BertLMPredictionHead");
  {
    const auto transform = b.scope("transform", "BertPredictionHeadTransform");
    x = fn::activation(encoder.linear("dense", x, model.width), model.activation, "transform_act_fn");
    x = encoder.norm("LayerNorm", x);
  }
  return encoder.decoded("cls.predictions", x);
}

Graph build(const Config& config, const ModelOptions& options) {
  Encoder model = {.family = "Bert", .base = "bert"};
  model.read(config);
  const std::string built = built_class(bert_architecture(), config);
  return build_encoder(model, config, options, [&](Builder& b, EncoderBuilder encoder) {
    if (built == "BertModel") {
      const Tensor x = encoder.base_model(/*under_head=*/false);
      b.output("last_hidden_state", x);
      return b.output("pooler_output", encoder.pooled(x, /*under_head=*/false));
    }
    const Tensor x = encoder.base_model(/*under_head=*/true);
    if (built == "BertForSequenceClassification") {
      const Tensor pooled = encoder.pooled(x, /*under_head=*/true);
      return b.output("logits", encoder.linear("classifier", pooled, config.labels()));
    }
    b.graph().checkpoint_rules.ignored = {"bert.pooler.*", "cls.seq_relationship.*"};
    if (built == "BertForTokenClassification") {
      return b.output("logits", encoder.linear("classifier", x, config.labels()));
    }
    b.output("logits", masked_language_head(b, encoder, model, x));
  });
}

constexpr std::array kModels = {
    ModelRow{.name = "bert", .title = "BERT", .config = "{}", .parameters = 109514298, .sequence = 128},
    ModelRow{.name = "bert-large",
             .title = "BERT Large",
             .config = R"({"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                           "intermediate_size": 4096})",
             .parameters = 335174458,
             .sequence = 128},
    ModelRow{.name = "minilm-l6",
             .title = "MiniLM L6 (sentence embeddings)",
             .config = R"({"architectures": ["BertModel"], "hidden_size": 384, "num_hidden_layers": 6,
                           "intermediate_size": 1536})",
             .parameters = 22713216,
             .sequence = 128},
    ModelRow{.name = "bge-small",
             .title = "BGE small (sentence embeddings)",
             .config = R"({"architectures": ["BertModel"], "hidden_size": 384, "intermediate_size": 1536})",
             .parameters = 33360000,
             .sequence = 128},
    ModelRow{.name = "bge-base",
             .title = "BGE base (sentence embeddings)",
             .config = R"({"architectures": ["BertModel"]})",
             .parameters = 109482240,
             .sequence = 128},
    ModelRow{.name = "bge-large",
             .title = "BGE large (sentence embeddings)",
             .config = R"({"architectures": ["BertModel"], "hidden_size": 1024, "num_hidden_layers": 24,
                           "num_attention_heads": 16, "intermediate_size": 4096})",
             .parameters = 335141888,
             .sequence = 128},
};

}  // namespace

const Architecture& bert_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "bert",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "BertForMaskedLM",
      .build = build,
      .models = kModels,
      .more_originals = {"BertModel", "BertForSequenceClassification", "BertForTokenClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
