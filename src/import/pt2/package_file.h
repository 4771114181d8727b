// Packages that AOTInductor compiled (.pt2), as models: nothing but their inputs and outputs, and the names of the
// nodes that their kernels compute.
#pragma once

#include <memory>

#include "base/file.h"
#include "import/common/model_file.h"

namespace nongemm::pt2 {

/// The graph's first node calls the package (pt2/package.h: kPackageOperator); behind it stands one node for each that
/// the package's provenance names, without operands.
/// @throws Error (kBadInput, kUnsupported) naming the file
std::shared_ptr<const ModelFile> open_package(const std::shared_ptr<const MappedFile>& file);

}  // namespace nongemm::pt2
