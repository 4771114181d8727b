// How reports write the types of a node.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

/// "[1, 256, 768] x [768]"
std::string operand_shapes(const std::vector<Type>& operands);
/// "[1, 256], number, ..."
std::string result_shapes(const std::vector<Type>& results);
/// "float32"; nothing for a type that is not known.
std::string_view dtype_text(DType dtype);

}  // namespace nongemm
