// Phi-3 with the language-model head: transformers Phi3ForCausalLM.
#include <array>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

/// Where a sequence outgrows the short factors, prepare_inputs_for_generation drops the cache and computes it anew with
/// the long ones: one step is a prompt's pass. That step is not built.
void check_factors_hold(const Config& config, const ModelOptions& options, const Rope& rope) {
  if (!options.pass || options.pass->past > 0 || rope.type != Rope::Type::kLongRope) return;
  const std::int64_t prompt = options.sequence.value_or(1);
  if (prompt > rope.original_positions || options.pass->longest <= rope.original_positions) return;
  throw Error(ErrorKind::kUnsupported,
              config.origin() + ": after token " + std::to_string(rope.original_positions) +
                  " (original_max_position_embeddings) the rotary factors change, and Phi-3 computes its cache anew",
              "give a longer --prompt, or one that ends before it together with the tokens of --generate");
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
  check_factors_hold(config, options, model.rope);
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
