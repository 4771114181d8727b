// What the source of a package's wrapper says of the model's inputs and outputs: the package has it nowhere else.
#pragma once

#include <string_view>

#include "pt2/package.h"

namespace nongemm::pt2 {

/// Fills in inputs and outputs; what the source does not have in the form of torch 2.8 to 2.11 stays away.
/// @throws Error (kBadInput) for trees of arguments that are none
void read_wrapper(std::string_view source, CompiledPackage& package);

}  // namespace nongemm::pt2
