// Mistral with the language-model head: transformers MistralForCausalLM.
#include <array>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {
      .family = "Mistral", .model_class = "MistralModel", .positions = 131072, .inner = 14336, .key_heads = 8};
  model.read(config);
  model.read_one_window(config, 4096);
  model.rope = Rope::read(config, model.head_width, model.positions);
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "mistral-7b",
             .title = "Mistral 7B v0.1",
             .config = R"({"max_position_embeddings": 32768, "rms_norm_eps": 1e-5})",
             .parameters = 7241732096,
             .sequence = 2048},
    ModelRow{.name = "mistral-7b-v0.3",
             .title = "Mistral 7B v0.3",
             .config = R"({"vocab_size": 32768, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5,
                           "rope_theta": 1000000.0, "sliding_window": null})",
             .parameters = 7248023552,
             .sequence = 2048},
};

}  // namespace

const Architecture& mistral_architecture() {
  static const Architecture kArchitecture = {.model_type = "mistral",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "MistralForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
