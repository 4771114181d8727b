// Phi-3 with the language-model head: transformers Phi3ForCausalLM.
#include <array>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

/// Phi3ForCausalLM.prepare_inputs_for_generation: where the text outgrows `original_max_position_embeddings`, whose
/// factors differ from those of longer texts, the cache is dropped "to be computed anew". But transformers 5.17 hands
/// over the last token alone, and a cache of one token is dropped again: from there on every step sees its own token
/// only. A longer prompt is computed with the factors of long texts, and keeps its cache.
bool drops_cache(const Config& config, const ModelOptions& options) {
  if (!options.pass) return false;
  const GenerationPass& pass = *options.pass;
  const std::int64_t original = config.positive("original_max_position_embeddings", 4096);
  if (pass.prompt > original || pass.longest <= original) return false;
  if (pass.cache == CacheKind::kStatic) {
    throw Error(ErrorKind::kUnsupported,
                config.origin() + ": behind token " + std::to_string(original) +
                    " (original_max_position_embeddings) Phi-3 goes on without its cache",
                "take --cache dynamic, a longer --prompt, or one that ends before it together with the tokens of "
                "--generate");
  }
  return pass.past >= original;
}

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Phi3",
                   .model_class = "Phi3Model",
                   .vocabulary = 32064,
                   .positions = 4096,
                   .width = 3072,
                   .inner = 8192,
                   .fused_projections = true,
                   .rotation = Rotation::kPart,
                   .activation_module = "activation_fn",
                   .epsilon = 1e-5};
  model.read(config);
  model.read_one_window(config, 0);
  model.rope = Rope::read(config, model.head_width, model.positions,
                          {.original_positions = 4096, .partial = true, .only_longrope = true});
  model.drops_cache = drops_cache(config, options);
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "phi3-mini",
             .title = "Phi-3 mini 4k",
             .config = R"({"sliding_window": 2047})",
             .parameters = 3821079552,
             .sequence = 2048},
};

}  // namespace

const Architecture& phi3_architecture() {
  static const Architecture kArchitecture = {.model_type = "phi3",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Phi3ForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
