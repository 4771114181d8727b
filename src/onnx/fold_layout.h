// Known numbers in other shapes and orders.
#pragma once

#include <optional>
#include <vector>

#include "onnx/fold.h"

namespace nongemm::onnx {

/// Element by element, with ONNX's broadcasting; dtype is left to the caller.
/// @param most elements that the result may have
std::optional<KnownValue> broadcast(const KnownValue& a, const KnownValue& b, std::int64_t most,
                                    double (*apply)(double, double));

/// Reshape, Transpose, Slice, Concat, Gather, Expand, Tile, Squeeze, Unsqueeze, Where; nothing for others.
/// @param inputs nullptr for one that is left out
std::optional<KnownValue> fold_layout(const Operation& node, const std::vector<const KnownValue*>& inputs);

}  // namespace nongemm::onnx
