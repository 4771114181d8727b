// What a model computes from its weights and constants alone, computed once.
#pragma once

#include "onnx/file.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// Nodes of the model's graph whose operands are known become constants, in the arithmetic of their dtype: masks,
/// position biases, the factors of a frozen batch normalization. Runtimes do the same, but some take long over it, or
/// leave it to every inference. Nodes that give an output, nodes in bodies of control nodes, and results beyond
/// `most_elements` stay.
/// @return how many nodes are gone
std::size_t fold_constants(ModelDef& model, const GiveWeight& give, std::int64_t most_elements = std::int64_t{1} << 20);

}  // namespace nongemm::onnx
