// Operands as the command line has them, and back.
#pragma once

#include <string>
#include <string_view>

#include "microbench/call.h"

namespace nongemm::microbench {

/// A value for an argument that is no tensor: "3", "1e-5", "true", "none", "fp16", "0,2,1".
/// Throws Error(kUsage) naming the argument and what it takes.
Argument parse_argument(const SchemaArg& arg, const std::string& text);

/// The text from which parse_argument makes the same value.
std::string argument_text(const Argument& value);

/// contiguous, channels-last, transposed, or strides ("768x1x12"). Throws Error(kUsage) for others, and for layouts
/// that a tensor of this shape does not have.
void apply_layout(TensorSpec& tensor, std::string_view layout);
std::string layout_of(const TensorSpec& tensor);

/// normal, uniform, zeros or ones. Throws Error(kUsage) for others.
Content parse_content(std::string_view text);

/// "1x2048x4096"; "scalar" for a tensor without dimensions.
std::string shape_text(const Shape& shape);

}  // namespace nongemm::microbench
