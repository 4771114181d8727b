// What an ONNX operator gives whose operands are all known.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "onnx/known_value.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// One of ONNX's own operators, read from a file or about to be written into one.
struct Operation {
  std::string_view type;
  const std::vector<Attribute>& attributes;
  std::int64_t opset = 0;
  std::int64_t most_elements = kMostKnownElements;  // of the result
};

/// nullptr when it has none of that name.
const Attribute* find_attribute(const Operation& operation, std::string_view name);

/// The result, rounded as its dtype asks for; nothing for operators that are not computed here, for operands that do
/// not fit it, and for results that are too large.
/// @param inputs nullptr for one that is left out
std::optional<KnownValue> fold(const Operation& operation, const std::vector<const KnownValue*>& inputs);

}  // namespace nongemm::onnx
