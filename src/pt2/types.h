// Numbers that stand for types in exported programs (torch/_export/serde/schema.py).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/dtype.h"
#include "graph/graph.h"

namespace nongemm::pt2 {

/// torch.strided, the only layout that graphs have.
inline constexpr int kStridedLayout = 7;

/// @throws Error (kUnsupported) for element types that are not handled (quantized ones)
DType dtype_of(const nlohmann::json& number);
/// @throws Error (kUnsupported) for element types that torch.export's schema lacks
int number_of(DType dtype);

/// "contiguous_format", "channels_last", ...
std::string memory_format_of(const nlohmann::json& number);
/// Nothing for a text that is no memory format.
std::optional<int> memory_format_number(std::string_view name);
/// What the file says of a value and what the operator's rule does: the rule knows strides and storage as well.
Type merged(const Type& file, const Type& rule);

}  // namespace nongemm::pt2
