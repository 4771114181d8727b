// Llama 2 and 3 with the language-model head: transformers LlamaForCausalLM.
#include <array>
#include <string>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Llama", .model_class = "LlamaModel"};
  model.read(config);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", false);
  model.mlp_bias = config.flag("mlp_bias", false);
  if (model.width % model.heads != 0) {
    config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(model.width));
  }
  model.rope = Rope::read(config, model.head_width, model.positions);
  return build_decoder(model, config, options);
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
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
