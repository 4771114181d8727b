// Inputs of models that take several tensors of their own by keyword: diffusion models, Whisper.
#pragma once

#include <initializer_list>
#include <string_view>

#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// The shape of the input `name`: what the options give it (`--input`, a folder's inputs), else `usual`.
/// @param patterns shapes that the model takes, dimensions that it leaves open as kDynamic
/// Throws Error(kUsage) naming the input when what is given fits none of them.
Shape input_shape(const ModelOptions& options, std::string_view name, std::initializer_list<Shape> patterns,
                  const Shape& usual);

/// The type that the options give the input `name`, else `usual`.
DType input_dtype(const ModelOptions& options, std::string_view name, DType usual);

/// Throws Error(kUsage) when the options give an input that is none of `known`.
void check_input_names(const ModelOptions& options, std::initializer_list<std::string_view> known);

}  // namespace nongemm
