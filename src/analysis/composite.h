// Composite modules: several operators in the graph, one normalization or activation in the paper.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"
#include "ops/group.h"

namespace nongemm {

struct CompositeModule {
  std::string_view type;  // the module's class
  Group group;
  std::string_view variant;
};

std::span<const CompositeModule> composite_modules();

/// Whether an operator of this group and dtype routes tokens to the experts of a mixture: all that a router does, and
/// what sorts, moves, masks and sums the tokens around the experts' products (ops/routing.h).
bool is_routing(const Graph& graph, ScopeId scope, Group group, std::string_view variant, DType result);

/// The innermost composite module around a scope, or nullptr.
const CompositeModule* composite_of(const Graph& graph, ScopeId scope);

}  // namespace nongemm
