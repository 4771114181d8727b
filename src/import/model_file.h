// Models in files of other tools: programs that torch.export wrote (.pt2), ONNX models (.onnx).
#pragma once

#include <filesystem>
#include <memory>

#include "import/common/model_file.h"

namespace nongemm {

/// By the name's ending alone.
bool is_model_file(const std::filesystem::path& path);

/// @throws Error (kIo, kBadInput) naming the file
std::shared_ptr<const ModelFile> open_model_file(const std::filesystem::path& path);

}  // namespace nongemm
