// Checking a model against reference outputs of the original (fixtures as tests/reference makes them).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flows/flow.h"
#include "prepare/model.h"
#include "record/output_difference.h"

namespace nongemm {

/// The largest difference that a tolerance allows: absolute for outputs of magnitude 1 or less, else relative to the
/// magnitude, since floating-point numbers are. Boxes of R-CNN are in pixels of the image: never more than 100 times.
double allowed_difference(const OutputDifference& output, double tolerance);

/// An output beside its reference; nullptr where the model has none of the name.
OutputDifference difference_of(const std::string& name, const HostTensor& reference, const HostTensor* ours);

/// Each of a graph's outputs beside the same output of another flow.
std::vector<OutputDifference> compare_outputs(const Graph& graph, const std::vector<HostTensor>& reference,
                                              const std::vector<HostTensor>& outputs);

/// What a graph must be built for so that it can take these inputs: batch, tokens, pixels, padding.
ModelOptions options_for(const NamedTensors& inputs, ModelOptions base);

/// What is asked for, or what config.json says in `_attn_implementation`.
Attention attention_of(const Model& model, Attention asked);

/// What the folder's config.json says that the model runs in; fp32 where it says nothing, and for files.
DType dtype_of_folder(const Model& model);

/// Runs a model and compares it with given outputs. One that is quantized runs in the type that config.json names.
/// @param path a folder with config.json and model.safetensors or with model.pt2 or model.onnx, and inputs.safetensors
/// and
///        outputs.safetensors beside it; or a model file, with NAME.inputs.safetensors and NAME.outputs.safetensors
/// Attention implementation: the options', or config.json's `_attn_implementation`.
std::vector<OutputDifference> verify_folder(const std::filesystem::path& path, Flow& flow, const RunOptions& run,
                                            ModelOptions options);

/// The same model, with weights and inputs of the same seed, in two flows.
std::vector<OutputDifference> compare_flows(const Model& model, const ModelOptions& options, Flow& flow,
                                            Flow& reference, const RunOptions& run);

}  // namespace nongemm
