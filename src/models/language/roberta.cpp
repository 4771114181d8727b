// RoBERTa and XLM-R, the same model under two names, with and without a head: transformers RobertaForMaskedLM,
// RobertaModel, RobertaForSequenceClassification, RobertaForTokenClassification and XLMRoberta's.
#include <array>
#include <string>

#include "models/architectures.h"
#include "models/parts/encoder.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

Tensor masked_language_head(Builder& b, EncoderBuilder& encoder, const Encoder& model, const Tensor& x) {
  const auto head = b.scope("lm_head", model.family + "LMHead");
  const Tensor y = fn::gelu(encoder.linear("dense", x, model.width));
  return encoder.decoded("lm_head", encoder.norm("layer_norm", y));
}

Tensor classification_head(Builder& b, EncoderBuilder& encoder, const Encoder& model, const Tensor& x,
                           std::int64_t labels) {
  const auto head = b.scope("classifier", model.family + "ClassificationHead");
  const Tensor y = encoder.linear("dense", fn::select(x, 1, 0), model.width);
  return encoder.linear("out_proj", b.call("aten.tanh.default", {y}), labels);
}

Graph build(const Architecture& architecture, const std::string& family, std::int64_t vocabulary, const Config& config,
            const ModelOptions& options) {
  Encoder model = {
      .family = family, .base = "roberta", .vocabulary = vocabulary, .padding = 1, .positions_from_ids = true};
  model.read(config);
  const std::string task = built_class(architecture, config).substr(family.size());
  return build_encoder(model, config, options, [&](Builder& b, EncoderBuilder encoder) {
    if (task == "Model") {
      const Tensor x = encoder.base_model(/*under_head=*/false);
      b.output("last_hidden_state", x);
      return b.output("pooler_output", encoder.pooled(x, /*under_head=*/false));
    }
    const Tensor x = encoder.base_model(/*under_head=*/true);
    b.graph().checkpoint_rules.ignored = {"roberta.pooler.*"};
    if (task == "ForSequenceClassification") {
      return b.output("logits", classification_head(b, encoder, model, x, config.labels()));
    }
    if (task == "ForTokenClassification") {
      return b.output("logits", encoder.linear("classifier", x, config.labels()));
    }
    b.output("logits", masked_language_head(b, encoder, model, x));
  });
}

Graph build_roberta(const Config& config, const ModelOptions& options) {
  return build(roberta_architecture(), "Roberta", 50265, config, options);
}

Graph build_xlm_roberta(const Config& config, const ModelOptions& options) {
  return build(xlm_roberta_architecture(), "XLMRoberta", 30522, config, options);
}

constexpr std::array kRoberta = {
    ModelRow{.name = "roberta-base",
             .title = "RoBERTa base",
             .config = R"({"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5})",
             .parameters = 124697433,
             .sequence = 128},
    ModelRow{.name = "roberta-large",
             .title = "RoBERTa large",
             .config = R"({"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
                           "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                           "intermediate_size": 4096})",
             .parameters = 355412057,
             .sequence = 128},
};

constexpr std::array kXlmRoberta = {
    ModelRow{.name = "xlm-r-base",
             .title = "XLM-R base",
             .config = R"({"vocab_size": 250002, "max_position_embeddings": 514, "type_vocab_size": 1,
                           "layer_norm_eps": 1e-5})",
             .parameters = 278295186,
             .sequence = 128},
    ModelRow{.name = "xlm-r-large",
             .title = "XLM-R large",
             .config = R"({"vocab_size": 250002, "max_position_embeddings": 514, "type_vocab_size": 1,
                           "layer_norm_eps": 1e-5, "hidden_size": 1024, "num_hidden_layers": 24,
                           "num_attention_heads": 16, "intermediate_size": 4096})",
             .parameters = 560142482,
             .sequence = 128},
};

}  // namespace

const Architecture& roberta_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "roberta",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "RobertaForMaskedLM",
      .build = build_roberta,
      .models = kRoberta,
      .more_originals = {"RobertaModel", "RobertaForSequenceClassification", "RobertaForTokenClassification"}};
  return kArchitecture;
}

const Architecture& xlm_roberta_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "xlm-roberta",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "XLMRobertaForMaskedLM",
      .build = build_xlm_roberta,
      .models = kXlmRoberta,
      .more_originals = {"XLMRobertaModel", "XLMRobertaForSequenceClassification", "XLMRobertaForTokenClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
