// Transposes and reshapes that undo each other.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// The shape of a tensor of the model; nothing where it is unknown or open.
using ShapeOf = std::function<std::optional<Shape>(const std::string& name)>;

/// Where a chain of Transpose and Reshape has brought the elements back into an earlier order ("to an image, back to a
/// sequence"), its end becomes a Reshape of that earlier tensor, or the tensor itself where the shape is the same, too.
/// Only in the model's graph, not in bodies of control nodes.
/// @return how many nodes are gone
std::size_t simplify_layouts(ModelDef& model, const ShapeOf& shape_of);

}  // namespace nongemm::onnx
