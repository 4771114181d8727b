// The ONNX nodes of a model that is not at hand, as far as an engine's layers mention them.
#pragma once

#include "programs/tensorrt/onnx_nodes.h"
#include "traces/tensorrt/layers.h"

namespace nongemm::traces {

/// Nodes in the order in which layers mention them first, with the operator that their name ends in; nodes whose name
/// tells none have no type. Nothing is known of tensors. Blocks that are named by their first and last node hide the
/// rest.
OnnxNodes infer_nodes(const TensorRtEngine& engine);

}  // namespace nongemm::traces
