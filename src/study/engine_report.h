// A report from the files that trtexec wrote of an engine elsewhere. Needs neither TensorRT nor a GPU.
#pragma once

#include "report/document.h"
#include "spec/request.h"

namespace nongemm {

/// @param files what trtexec wrote
/// @param spec its model is what the engine was built from: an ONNX file, or a model of this program that was exported
///        by it; empty when neither is at hand
/// @throws Error (kBadInput, kIo) naming the file
Point engine_point(const EngineFiles& files, const RunSpec& spec);

}  // namespace nongemm
