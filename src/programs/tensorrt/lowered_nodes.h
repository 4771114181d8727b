// The nodes of a model that was lowered here, without a file in between.
#pragma once

#include "onnx/onnx_model.h"
#include "programs/tensorrt/onnx_nodes.h"

namespace nongemm::traces {

OnnxNodes nodes_of(const onnx::ModelDef& model);

}  // namespace nongemm::traces
