// Operators outside the operator table, called by the schema that the dispatcher has of them.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/schema.h"

namespace nongemm::torch_flow {

/// Loads a library that registers operators; once, whoever asks. @throws Error (kBadInput) naming the path and reason
void load_operators(const std::string& path);

/// By qualified name ("aten.add.Tensor").
std::optional<c10::OperatorHandle> find_foreign(const std::string& op);

/// Of all overloads of an operator: "aten::cdist(Tensor x1, Tensor x2, ...) -> Tensor".
/// @param name "aten::cdist"
std::vector<std::string> schemas_of(const std::string& name);

struct ForeignCall {
  Schema schema;
  /// The node with all of the schema's arguments, in its order.
  Node node;
  /// What the dispatcher puts in the place of arguments that were left out.
  std::vector<std::optional<c10::IValue>> defaults;
};

/// @throws Error (kUnsupported) for arguments and results that graphs do not have, and for writes into weights
ForeignCall arrange_foreign(const Graph& graph, const Node& node, const c10::OperatorHandle& op, c10::Device device);

}  // namespace nongemm::torch_flow
