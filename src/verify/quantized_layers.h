// Quantized layers against references of the original, step by step: rows, sums and results.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flows/flow.h"
#include "prepare/model.h"
#include "spec/quantize_options.h"

namespace nongemm {

/// One thing that a layer has to give, and what it gave.
struct LayerCheck {
  std::string layer;
  std::string what;   // "row scales"
  std::string found;  // "3 of 8192 differ, the largest by 1 step"
  bool within = false;
};

/// Whether a path is, or a folder without a model holds, LLM.int8's references of single layers: safetensors with `A`,
/// `W`, `CA`, `SCA`, `CB`, `SCB`, `C_int32`, `outlier_columns`, `y`, perhaps `bias` and `threshold`.
bool holds_quantized_layers(const std::filesystem::path& path);

/// Every reference there. int8 values may differ by one step in a thousandth of them (ties), results by one unit in the
/// last place of what is rounded on the way; all else is exact. The options' threshold, where it is not the default,
/// stands in the place of the reference's own. Throws Error(kBadInput) for a reference that lacks something.
std::vector<LayerCheck> verify_quantized_layers(const std::filesystem::path& path, Flow& flow, const RunOptions& run,
                                                const QuantizeOptions& options);

/// Layers of a model by what they got and gave in the original's run: `layers.safetensors` beside the model, with
/// `<module>.input` and `<module>.output`; nothing where there is no such file.
std::vector<LayerCheck> verify_layers_of_model(const std::filesystem::path& folder, Flow& flow, const RunOptions& run,
                                               const QuantizeOptions& options);

}  // namespace nongemm
