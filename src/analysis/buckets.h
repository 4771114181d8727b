// Rows added up by what they have in common.
#pragma once

#include <vector>

#include "analysis/analysis.h"

namespace nongemm {

/// How many operands tell calls apart, and are shown: a cat of many tensors is said by its first ones.
inline constexpr std::size_t kMostOperands = 6;

// Buckets stand in the order in which their first node stands in the graph.

std::vector<Bucket> by_group(const std::vector<NodeRow>& rows, double wall_s);
/// By operator within group and variant.
std::vector<Bucket> by_operator(const std::vector<NodeRow>& rows, double wall_s);
/// By operator, shapes of operands and dtype of the result.
std::vector<Bucket> by_call(const std::vector<NodeRow>& rows, double wall_s);
/// By group and variant.
std::vector<Bucket> by_variant(const std::vector<NodeRow>& rows, double wall_s);

/// By module path, with everything inside it: a node counts to every module around it. The whole model is the first,
/// its name empty.
/// @param graph whose modules the rows' scopes are
std::vector<Bucket> by_module(const std::vector<NodeRow>& rows, const Graph& graph, double wall_s);

/// The most time first, or work where nothing was measured.
void largest_first(std::vector<Bucket>& buckets);

}  // namespace nongemm
