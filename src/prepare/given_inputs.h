// Inputs that a user prepared: tensors by name in a safetensors file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "prepare/prepare.h"

namespace nongemm {

/// Under the names of the model's inputs. Tensors that no input is called after are given by position when their names
/// end in numbers ("input_0"), or when there is one of each.
DataBatch read_inputs(const Model& model, const std::filesystem::path& path, const ModelOptions& options);

/// Options with which a model file's graph takes these inputs.
ModelOptions options_for_file(const Model& model, const NamedTensors& inputs, ModelOptions options);

/// Gives `tensors` the names of `wanted` when none of theirs is among them: by position, which `wanted` has in the
/// numbers at the ends of the names, or when there is one of each.
void rename_by_position(NamedTensors& tensors, const std::vector<std::string>& wanted);

}  // namespace nongemm
