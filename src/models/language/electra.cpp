// ELECTRA with and without a head: transformers ElectraModel, ElectraForPreTraining (the discriminator),
// ElectraForSequenceClassification.
#include <array>
#include <string>

#include "models/architectures.h"
#include "models/parts/encoder.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Encoder model = {.family = "Electra", .base = "electra", .width = 256, .heads = 4, .inner = 1024};
  model.words_width = config.positive("embedding_size", 128);
  model.read(config);
  const std::string built = built_class(electra_architecture(), config);
  return build_encoder(model, config, options, [&](Builder& b, EncoderBuilder encoder) {
    if (built == "ElectraModel") return b.output("last_hidden_state", encoder.base_model(/*under_head=*/false));
    const Tensor x = encoder.base_model(/*under_head=*/true);
    if (built == "ElectraForPreTraining") {
      const auto head = b.scope("discriminator_predictions", "ElectraDiscriminatorPredictions");
      const Tensor y = fn::activation(encoder.linear("dense", x, model.width), model.activation, "activation");
      const Tensor score = encoder.linear("dense_prediction", y, 1);
      return b.output("logits", b.call("aten.squeeze.dim", {score, -1}));
    }
    const auto head = b.scope("classifier", "ElectraClassificationHead");
    const Tensor y = encoder.linear("dense", fn::select(x, 1, 0), model.width);
    b.output("logits", encoder.linear("out_proj", fn::activation(y, "gelu", "activation"), config.labels()));
  });
}

constexpr std::array kModels = {
    ModelRow{.name = "electra-base",
             .title = "ELECTRA base",
             .config = R"({"embedding_size": 768, "hidden_size": 768, "num_attention_heads": 12,
                           "intermediate_size": 3072})",
             .parameters = 108891648,
             .sequence = 128},
};

}  // namespace

const Architecture& electra_architecture() {
  static const Architecture kArchitecture = {
      .model_type = "electra",
      .domain = Domain::kLanguage,
      .dataset = "wikitext",
      .original = "ElectraModel",
      .build = build,
      .models = kModels,
      .more_originals = {"ElectraForPreTraining", "ElectraForSequenceClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
