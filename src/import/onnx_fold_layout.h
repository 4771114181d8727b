// Known numbers in other shapes and orders: what files do to shapes before they use them.
#pragma once

#include <optional>
#include <vector>

#include "import/onnx_values.h"

namespace nongemm::onnx {

/// Element by element, with ONNX's broadcasting; dtype is left to the caller.
std::optional<KnownValue> broadcast(const KnownValue& a, const KnownValue& b, double (*apply)(double, double));

/// Reshape, Transpose, Slice, Concat, Gather, Expand, Squeeze, Unsqueeze, Where; nothing for others.
/// @param inputs nullptr for one that is left out
std::optional<KnownValue> fold_layout(const ReadNode& node, const std::vector<const KnownValue*>& inputs,
                                      std::int64_t opset);

}  // namespace nongemm::onnx
