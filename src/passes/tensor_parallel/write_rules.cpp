// What a cache that is cut is written with.
#include <algorithm>

#include "passes/tensor_parallel/rules.h"

namespace nongemm::passes {
namespace {

/// index_copy_(self, dim, index, source)
void cut_index_copy(CutNode& node) {
  if (!node.at(0).is_cut() || !(node.at(0) == node.at(3))) node.fail("its operands are cut in different ways");
  if (node.dim(1, node.shape(0).size()) == node.at(0).dim) node.fail("it writes along the dimension that is cut");
  node.all_results(node.at(0));
}

/// roll(self, shifts, dims)
void cut_roll(CutNode& node) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  const std::vector<std::int64_t> dims = node.integers(2);
  const auto is_cut = [&](std::int64_t dim) {
    return static_cast<std::size_t>(dim < 0 ? dim + rank : dim) == node.at(0).dim;
  };
  if (dims.empty() || std::any_of(dims.begin(), dims.end(), is_cut)) node.fail("it rolls the dimension that is cut");
  node.all_results(node.at(0));
}

/// index_put_(self, indices, values): one index of one dimension, in the place of the dimension that it looks into.
void cut_index_put(CutNode& node) {
  const auto* indices = std::get_if<std::vector<Use>>(&node.argument(1));
  if (indices == nullptr || !node.at(0).is_cut()) node.fail("its operands are cut in different ways");
  std::size_t given = 0;
  for (std::size_t dim = 0; dim < indices->size(); ++dim) {
    if ((*indices)[dim].value == kNoId) continue;
    ++given;
    const bool one_dimension = node.type((*indices)[dim].value).shape.size() == 1;
    if (dim == node.at(0).dim || !one_dimension) node.fail("it looks into the dimension that is cut");
  }
  if (given != 1) node.fail("it looks into several dimensions");
  const std::size_t from_end = node.shape(0).size() - node.at(0).dim;
  const bool same = node.at(2).is_cut() && node.shape(2).size() >= from_end &&
                    node.shape(2).size() - node.at(2).dim == from_end && node.at(2).pieces == node.at(0).pieces;
  if (!same) node.fail("its operands are cut in different ways");
  node.all_results(node.at(0));
}

}  // namespace

std::vector<cut_rules::NamedRule> cut_rules::write_rules() {
  return {{"aten.index_copy_.default", cut_index_copy},
          {"aten.roll.default", cut_roll},
          {"aten.index_put_.default", cut_index_put}};
}

}  // namespace nongemm::passes
