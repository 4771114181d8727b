// Which graph nodes each node of the runtime's optimised graph implements. docs/decisions.md says why it is done so.
#pragma once

#include "programs/ort/dataflow.h"
#include "record/runtime_program.h"

namespace nongemm::ort_flow {

/// Steps in the order of the optimised graph, without providers and bytes, which only a run tells.
/// @param lowered the model that the runtime was given; names in it carry graph node ids (onnx/names.h)
/// @param optimised what the runtime made of it
RuntimeProgram map_program(const Dataflow& lowered, const Dataflow& optimised);

}  // namespace nongemm::ort_flow
