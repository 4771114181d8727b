// Options that say what becomes of linear layers.
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

constexpr unsigned kCommands = kRun | kInspect | kExport | kVerify;

/// Which layers, and to what.
void add_what(std::vector<Option>& rows) {
  rows.push_back(choice({.name = "quantize",
                         .value = "SCHEME",
                         .doc = "linear layers of fewer bits: llm.int8, w8a8, w8, w4 or fp8 (docs/quantization.md); "
                                "none beside others",
                         .section = OptionSection::kModel,
                         .commands = kCommands,
                         .shown = OptionShown::kWhenGiven,
                         .swept = true,
                         .commas = true},
                        [](auto& r) -> auto& { return r.run.options.quantize.scheme; },
                        {{"none", QuantizeScheme::kNone},
                         {"llm.int8", QuantizeScheme::kLlmInt8},
                         {"w8a8", QuantizeScheme::kW8a8},
                         {"w8", QuantizeScheme::kW8},
                         {"w4", QuantizeScheme::kW4},
                         {"fp8", QuantizeScheme::kFp8}}));
  rows.push_back(text(
      {.name = "quantize-skip",
       .value = "MODULE",
       .doc = "modules whose layers stay as they are, by their path, the end of it or a module around them; or none",
       .otherwise = "the head",
       .section = OptionSection::kModel,
       .commands = kCommands,
       .shown = OptionShown::kWhenGiven,
       .repeatable = true,
       .commas = true},
      [](auto& r) -> auto& { return r.run.options.quantize.skip; }));
}

/// Settings: `--set quantize.way=published`.
void add_how(std::vector<Option>& rows) {
  OptionInfo way{.name = "quantize.way",
                 .value = "WAY",
                 .doc =
                     "how llm.int8 runs: as bitsandbytes dispatches it, the host's waits included; step by step "
                     "without waits; or in two kernels",
                 .section = OptionSection::kModel,
                 .commands = kCommands,
                 .shown = OptionShown::kWhenGiven,
                 .of_flow = true};
  rows.push_back(choice(std::move(way), [](auto& r) -> auto& { return r.run.options.quantize.way; },
                        {{"published", QuantizeWay::kPublished},
                         {"decomposed", QuantizeWay::kDecomposed},
                         {"fused", QuantizeWay::kFused}}));
  OptionInfo threshold{.name = "quantize.threshold",
                       .value = "X",
                       .doc = "llm.int8: the magnitude from which on an activation is an outlier; 0 for none",
                       .section = OptionSection::kModel,
                       .commands = kCommands,
                       .shown = OptionShown::kWhenGiven,
                       .of_flow = true};
  rows.push_back(
      number(std::move(threshold), [](auto& r) -> auto& { return r.run.options.quantize.threshold; }, {0, 65504}));
  OptionInfo activations{.name = "quantize.activations",
                         .value = "WHEN",
                         .doc =
                             "w8a8: scales of activations by rows as they come, or one a layer, found beforehand with "
                             "the run's inputs: what TensorRT takes (QuantizeLinear in ONNX)",
                         .otherwise = "static for tensorrt, else dynamic",
                         .section = OptionSection::kModel,
                         .commands = kCommands & ~kVerify & ~kInspect,
                         .shown = OptionShown::kWhenGiven,
                         .of_flow = true};
  rows.push_back(choice(std::move(activations), [](auto& r) -> auto& { return r.run.activations; },
                        {{"dynamic", QuantizeActivations::kDynamic}, {"static", QuantizeActivations::kStatic}}));
  OptionInfo tokens{.name = "quantize.tokens",
                    .value = "N",
                    .doc = "text of --data of which perplexity is taken, as it is and quantized (decoders); 0 for none",
                    .section = OptionSection::kModel,
                    .commands = kRun,
                    .shown = OptionShown::kWhenGiven,
                    .of_flow = true};
  rows.push_back(
      integer(std::move(tokens), [](auto& r) -> auto& { return r.run.perplexity_tokens; }, {0, 1'000'000'000}));
}

}  // namespace

std::vector<Option> quantize_rows() {
  std::vector<Option> rows;
  add_what(rows);
  add_how(rows);
  return rows;
}

}  // namespace nongemm::option_rows
