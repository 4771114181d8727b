// ONNX models (.onnx), opset 11 to 21, from the dynamo and the TorchScript exporter of PyTorch and from others.
#pragma once

#include <memory>

#include "base/file.h"
#include "import/common/model_file.h"

namespace nongemm::onnx {

/// @throws Error (kBadInput, kUnsupported) naming the file
std::shared_ptr<const ModelFile> open_onnx(std::shared_ptr<const MappedFile> file);

}  // namespace nongemm::onnx
