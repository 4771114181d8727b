// Numbers that stand for types in exported programs (torch/_export/serde/schema.py).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/dtype.h"
#include "graph/graph.h"

namespace nongemm::pt2 {

/// @throws Error (kUnsupported) for element types that are not handled (quantized ones)
DType dtype_of(const nlohmann::json& number);
/// "contiguous_format", "channels_last", ...
std::string memory_format_of(const nlohmann::json& number);
/// What the file says of a value and what the operator's rule does: the rule knows strides and storage as well.
Type merged(const Type& file, const Type& rule);

}  // namespace nongemm::pt2
