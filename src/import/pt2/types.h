// Numbers that stand for types in exported programs (torch/_export/serde/schema.py).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/dtype.h"

namespace nongemm::pt2 {

/// @throws Error (kUnsupported) for element types that are not handled (complex numbers)
DType dtype_of(const nlohmann::json& number);
/// "contiguous_format", "channels_last", ...
std::string memory_format_of(const nlohmann::json& number);

}  // namespace nongemm::pt2
