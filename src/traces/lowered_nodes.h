// The nodes of a model that was lowered here, without a file in between.
#pragma once

#include "onnx/model.h"
#include "traces/onnx_nodes.h"

namespace nongemm::traces {

OnnxNodes nodes_of(const onnx::ModelDef& model);

}  // namespace nongemm::traces
