// Products of cut operands: what is cut in the result, or that the result is a part of a sum.
#include <algorithm>
#include <utility>

#include "passes/tensor_parallel/rules.h"

namespace nongemm::passes {
namespace {

std::size_t last_of(const CutNode& node, std::size_t position) { return node.shape(position).size() - 1; }

bool is_cut_at(const CutNode& node, std::size_t position, std::size_t dim) {
  return node.at(position).is_cut() && node.at(position).dim == dim;
}

/// What both operands of a product sum over has to be cut alike; a whole first operand gives its part.
/// @param inner the dimension of the first operand, `other_inner` that of the second
void sum_over_cut(CutNode& node, std::size_t first, std::size_t inner, std::size_t second, std::size_t other_inner) {
  const Placement& cut = node.at(second);
  if (!is_cut_at(node, second, other_inner)) node.fail("its input is cut and its weight is whole");
  if (node.at(first).is_whole()) {
    if (cut.pieces.size() > 1) node.fail("an operand of several pieces meets a whole one");
    node.narrowed.push_back({first, inner});
  } else if (!is_cut_at(node, first, inner) || node.at(first).pieces != cut.pieces) {
    node.fail("its operands are cut in different ways");
  }
  node.all_results(Placement::partial());
}

/// linear(input [.., in], weight [out, in], bias [out])
void cut_linear(CutNode& node) {
  const Placement& weight = node.at(1);
  const std::size_t inner = last_of(node, 0);
  if (is_cut_at(node, 1, 0)) {
    if (!node.at(0).is_whole()) node.fail("its input and its outputs are cut");
    if (node.is_tensor(2) && node.at(2).is_whole()) node.narrowed.push_back({2, 0});
    return node.all_results(Placement::cut(inner, weight.pieces));
  }
  if (weight.is_whole() && node.at(0).is_cut() && node.at(0).dim != inner) return node.all_results(node.at(0));
  sum_over_cut(node, 0, inner, 1, 1);
  if (!node.is_tensor(2)) return;
  node.bias = std::get<Use>(node.argument(2)).value;
  node.node.args[2] = std::monostate();
}

/// addmm(bias, input [n, in], weight [in, out])
void cut_addmm(CutNode& node) {
  if (is_cut_at(node, 2, 1)) {
    if (!node.at(1).is_whole()) node.fail("its input and its outputs are cut");
    if (node.at(0).is_whole()) node.narrowed.push_back({0, last_of(node, 0)});
    return node.all_results(Placement::cut(1, node.at(2).pieces));
  }
  if (node.at(2).is_whole() && is_cut_at(node, 1, 0)) return node.all_results(Placement::cut(0, node.at(1).pieces));
  const auto is_one = [&](std::size_t i) {
    return node.argument(i) == Argument(std::int64_t{1}) || node.argument(i) == Argument(1.0);
  };
  if (!is_one(3) || !is_one(4)) node.fail("it scales what the ranks sum");
  sum_over_cut(node, 1, 1, 2, 0);
  node.bias = std::get<Use>(node.argument(0)).value;
  node.node.op = "aten.mm.default";
  node.node.args = {node.argument(1), node.argument(2)};
  for (CutNode::Narrowed& narrowed : node.narrowed) --narrowed.position;
}

/// matmul, mm and bmm, whose dimensions before the last two are aligned as broadcasting does.
void cut_matmul(CutNode& node, std::size_t first, std::size_t second) {
  const std::size_t a = node.shape(first).size();
  const std::size_t b = node.shape(second).size();
  if (a < 2 || b < 2) node.fail("it takes a vector");
  const std::size_t rank = node.result_shape().size();
  const auto is_batch = [&](std::size_t position, std::size_t of) {
    return node.at(position).is_cut() && node.at(position).dim + 2 < of;
  };
  if (is_batch(first, a) || is_batch(second, b)) {
    const std::size_t lead = is_batch(first, a) ? first : second;
    const std::size_t other = lead == first ? second : first;
    const std::size_t from_end = node.shape(lead).size() - node.at(lead).dim;
    const std::size_t others = node.shape(other).size();
    if (node.at(other).is_cut()) {
      const bool same = others - node.at(other).dim == from_end && node.at(other).pieces == node.at(lead).pieces;
      if (!same) node.fail("its operands are cut in different ways");
    } else if (others >= from_end && node.shape(other)[others - from_end] != 1) {
      node.narrowed.push_back({other, others - from_end});
    }
    return node.all_results(Placement::cut(rank - from_end, node.at(lead).pieces));
  }
  if (is_cut_at(node, first, a - 2) && node.at(second).is_whole()) {
    return node.all_results(Placement::cut(rank - 2, node.at(first).pieces));
  }
  if (is_cut_at(node, second, b - 1) && node.at(first).is_whole()) {
    return node.all_results(Placement::cut(rank - 1, node.at(second).pieces));
  }
  sum_over_cut(node, first, a - 1, second, b - 2);
}

void cut_product(CutNode& node) { cut_matmul(node, 0, 1); }

/// baddbmm(self, batch1, batch2): one matrix for each head.
void cut_baddbmm(CutNode& node) {
  cut_matmul(node, 1, 2);
  if (!node.results[0].is_cut()) node.fail("its products are parts of a sum");
  if (node.at(0).is_cut()) return;
  const std::size_t rank = node.shape(0).size();
  const std::size_t from_end = 3 - node.results[0].dim;
  if (rank >= from_end && node.shape(0)[rank - from_end] != 1) node.narrowed.push_back({0, rank - from_end});
}

/// _grouped_mm(rows [s, k], matrices [groups, k, n], ends [groups])
void cut_grouped(CutNode& node) {
  if (is_cut_at(node, 1, 2) && node.at(0).is_whole()) {
    return node.all_results(Placement::cut(1, node.at(1).pieces));
  }
  sum_over_cut(node, 0, 1, 1, 1);
}

/// scaled_dot_product_attention(query, key, value [.., heads, tokens, width], mask, ...)
void cut_attention(CutNode& node) {
  const Placement& query = node.at(0);
  const std::size_t rank = node.shape(0).size();
  for (const std::size_t operand : {1U, 2U}) {
    if (!node.at(operand).is_cut() || node.at(operand).dim != query.dim)
      node.fail("its operands are cut in different ways");
  }
  if (!query.is_cut() || query.dim + 2 >= rank) node.fail("its tokens are cut");
  if (node.is_tensor(3)) {
    const Shape& mask = node.shape(3);
    const std::size_t from_end = rank - query.dim;
    const bool by_head = mask.size() >= from_end && mask[mask.size() - from_end] != 1;
    if (by_head && node.at(3).is_whole()) node.narrowed.push_back({3, mask.size() - from_end});
    if (node.at(3).is_cut() && !by_head) node.fail("its mask is cut elsewhere");
  }
  node.all_results(query);
}

/// The rows of a table, each cut.
void cut_embedding(CutNode& node) {
  if (!is_cut_at(node, 0, 1)) node.fail("its rows are cut");
  node.all_results(Placement::cut(node.result_shape().size() - 1, node.at(0).pieces));
}

}  // namespace

std::vector<cut_rules::NamedRule> cut_rules::product_rules() {
  return {{"aten.linear.default", cut_linear},       {"aten.addmm.default", cut_addmm},
          {"aten.matmul.default", cut_product},      {"aten.mm.default", cut_product},
          {"aten.bmm.default", cut_product},         {"aten.baddbmm.default", cut_baddbmm},
          {"aten._grouped_mm.default", cut_grouped}, {"aten.scaled_dot_product_attention.default", cut_attention},
          {"aten.embedding.default", cut_embedding}};
}

}  // namespace nongemm::passes
