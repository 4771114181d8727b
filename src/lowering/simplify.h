// A lowered model without what a run need not do.
#pragma once

#include "graph/graph.h"
#include "onnx/file.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// Constants folded (fold_constants.h), then transposes that undo each other left out (simplify_layouts.h).
/// @param graph what the model was lowered from
/// @return how many nodes are gone
std::size_t simplify(ModelDef& model, const Graph& graph, const GiveWeight& give);

}  // namespace nongemm::onnx
