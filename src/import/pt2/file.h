// Programs that torch.export wrote (.pt2), torch 2.5 to 2.11.
#pragma once

#include <memory>

#include "base/file.h"
#include "import/common/model_file.h"

namespace nongemm::pt2 {

/// @throws Error (kBadInput, kUnsupported) naming the file
std::shared_ptr<const ModelFile> open_pt2(std::shared_ptr<const MappedFile> file);

}  // namespace nongemm::pt2
