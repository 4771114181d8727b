// Operators by the names that people give them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "microbench/call.h"

namespace nongemm::microbench {

/// All overloads of an operator that the runtime has, as schema texts: "aten::cdist(Tensor x1, ...) -> Tensor".
/// @param name "aten::cdist"
using SchemaSource = std::function<std::vector<std::string>(const std::string& name)>;

/// "layer_norm", "aten::layer_norm", "add.Tensor", "aten.add.Tensor", "torchvision::nms". Without an overload the
/// default one is meant, or the table's first. Throws Error(kUsage) with the nearest names.
/// @param runtime asked for operators that the table does not know
OperatorInfo find_operator(const std::string& name, const SchemaSource& runtime);

/// The same for an operator of a graph, whose whole name is known ("aten.add.Tensor"). Throws Error(kUnsupported).
OperatorInfo operator_of_node(const std::string& op, const SchemaSource& runtime);

}  // namespace nongemm::microbench
