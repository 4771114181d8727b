// Operands of the graph's nodes as an exported program has them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace nongemm::pt2 {

class ArgumentWriter {
 public:
  /// @param names by value
  ArgumentWriter(const Graph& graph, const std::vector<std::string>& names) : graph_(graph), names_(names) {}

  /// NamedArgument of the schema: what differs from the operator's defaults, and what stands before it.
  /// @param op nullptr where the operator table does not know the operator
  /// @throws Error (kUnsupported) for what no program of torch.export holds
  nlohmann::json inputs(const Node& node, const Op* op) const;

  /// A value in its kind: {"as_tensor": {"name": ...}}, {"as_sym_int": {"as_name": ...}}.
  nlohmann::json value(ValueId id) const;

 private:
  nlohmann::json argument(const Argument& argument, const SchemaArg* schema, bool makes_tensor) const;
  nlohmann::json uses(const std::vector<Use>& uses, const SchemaArg* schema) const;
  nlohmann::json ints(const std::vector<Int>& ints) const;

  const Graph& graph_;
  const std::vector<std::string>& names_;
};

}  // namespace nongemm::pt2
