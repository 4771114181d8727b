#include "passes/tensor_parallel/rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.h"

namespace nongemm::passes {
namespace {

/// Aligned at the last dimension, as broadcasting does: the cut dimension, counted from the end.
void cut_elementwise(CutNode& node) {
  const std::size_t lead = node.cut_operand();
  const Placement& cut = node.at(lead);
  const std::size_t from_end = node.shape(lead).size() - cut.dim;
  for (std::size_t i = 0; i < node.size(); ++i) {
    if (i == lead || !node.is_tensor(i)) continue;
    const Shape& shape = node.shape(i);
    if (node.at(i).is_cut()) {
      const bool same = shape.size() - node.at(i).dim == from_end && node.at(i).pieces == cut.pieces;
      if (!same) node.fail("its operands are cut in different ways");
      continue;
    }
    if (shape.size() < from_end || shape[shape.size() - from_end] == 1) continue;
    if (cut.pieces.size() > 1) node.fail("an operand of several pieces meets a whole one");
    if (i == 0 && node.writes()) node.fail("it writes a part into a whole");
    node.narrowed.push_back({i, shape.size() - from_end});
  }
  node.all_results(Placement::cut(node.result_shape().size() - from_end, cut.pieces));
}

/// Along other dimensions than the cut one: (self, dims, ...) or (self, dim, ...).
void cut_reduction(CutNode& node) {
  const Placement cut = node.at(0);
  const std::size_t rank = node.shape(0).size();
  std::vector<bool> reduced(rank, std::holds_alternative<std::monostate>(node.argument(1)));
  if (const std::optional<std::int64_t> one = node.integer(1)) {
    reduced[static_cast<std::size_t>(*one < 0 ? *one + static_cast<std::int64_t>(rank) : *one)] = true;
  } else if (!reduced[0]) {
    for (const std::int64_t dim : node.integers(1))
      reduced[static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim)] = true;
  }
  if (reduced[cut.dim]) node.fail("it reduces the dimension that is cut");
  std::size_t dim = cut.dim;
  if (node.result_shape().size() < rank) dim -= std::count(reduced.begin(), reduced.begin() + cut.dim, true);
  node.all_results(Placement::cut(dim, cut.pieces));
}

/// Along the last dimensions, `normalized_shape` of them.
void cut_normalization(CutNode& node) {
  const Placement cut = node.at(0);
  if (cut.dim + node.integers(1).size() >= node.shape(0).size()) node.fail("it normalizes the dimension that is cut");
  node.all_results(cut);
}

/// The whole operand is looked into by indices that are whole: rows of something cut elsewhere.
void cut_index(CutNode& node) {
  const Placement cut = node.at(0);
  const auto* uses = std::get_if<std::vector<Use>>(&node.argument(1));
  if (uses == nullptr || uses->size() != 1 || uses->front().value == kNoId || cut.dim == 0) {
    node.fail("it looks into the dimension that is cut");
  }
  const std::size_t more = node.type(uses->front().value).shape.size();
  node.all_results(Placement::cut(cut.dim - 1 + more, cut.pieces));
}

constexpr std::array kRules = std::to_array<cut_rules::NamedRule>({
    {"aten.to.dtype", cut_elementwise},           {"aten.to.dtype_layout", cut_elementwise},
    {"aten.to.other", cut_elementwise},           {"aten.type_as.default", cut_elementwise},
    {"aten._to_copy.default", cut_elementwise},   {"aten.clone.default", cut_elementwise},
    {"aten.contiguous.default", cut_elementwise}, {"aten.dropout.default", cut_elementwise},
    {"aten.detach.default", cut_elementwise},     {"aten.alias.default", cut_elementwise},
    {"aten.sigmoid.default", cut_elementwise},    {"aten.masked_fill.Scalar", cut_elementwise},
    {"aten.masked_fill.Tensor", cut_elementwise}, {"aten.mean.dim", cut_reduction},
    {"aten.sum.dim_IntList", cut_reduction},      {"aten.amax.default", cut_reduction},
    {"aten.softmax.int", cut_reduction},          {"aten._softmax.default", cut_reduction},
    {"aten.log_softmax.int", cut_reduction},      {"aten.layer_norm.default", cut_normalization},
    {"aten.rms_norm.default", cut_normalization}, {"aten.index.Tensor", cut_index},
    {"aten.copy_.default", cut_elementwise},
});

/// Of these groups all but what looks at neighbours.
bool is_elementwise(const Op& op) {
  const bool group = op.entry.group == Group::kActivation || op.entry.group == Group::kArithmetic;
  return group && op.name != "aten.diff.default" && op.name.find("glu") == std::string::npos;
}

std::map<std::string_view, CutRule> all_rules() {
  std::map<std::string_view, CutRule> rules;
  const auto add = [&](const auto& named) {
    for (const cut_rules::NamedRule& rule : named) rules.emplace(rule.op, rule.rule);
  };
  add(kRules);
  add(cut_rules::layout_rules());
  add(cut_rules::product_rules());
  add(cut_rules::write_rules());
  return rules;
}

}  // namespace

CutNode::CutNode(const Graph& graph, const Node& node, const Op& op, std::int64_t ranks,
                 const std::function<const Placement&(ValueId)>& placement)
    : node(node), graph_(graph), whole_(node), op_(op), ranks_(ranks), placement_(placement) {}

bool CutNode::is_tensor(std::size_t position) const {
  const auto* use = std::get_if<Use>(&whole_.args[position]);
  return use != nullptr && use->value != kNoId && graph_.values[use->value].type.kind == Type::Kind::kTensor;
}

const Placement& CutNode::at(std::size_t position) const {
  static const Placement kWhole;
  return is_tensor(position) ? placement_(std::get<Use>(whole_.args[position]).value) : kWhole;
}

const Shape& CutNode::shape(std::size_t position) const {
  if (!is_tensor(position)) fail("an operand is no tensor");
  return graph_.values[std::get<Use>(whole_.args[position]).value].type.shape;
}

std::size_t CutNode::cut_operand() const {
  for (std::size_t i = 0; i < whole_.args.size(); ++i) {
    if (at(i).is_cut()) return i;
  }
  fail("an operand that it cannot take in parts is cut");
}

std::optional<std::int64_t> CutNode::integer(std::size_t position) const {
  const auto* number = std::get_if<std::int64_t>(&whole_.args[position]);
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::size_t CutNode::dim(std::size_t position, std::size_t rank) const {
  const std::optional<std::int64_t> dim = integer(position);
  if (!dim) fail("its dimension is only known at run time");
  return static_cast<std::size_t>(*dim < 0 ? *dim + static_cast<std::int64_t>(rank) : *dim);
}

std::vector<std::int64_t> CutNode::integers(std::size_t position) const {
  std::vector<std::int64_t> numbers;
  if (const auto* list = std::get_if<std::vector<Int>>(&whole_.args[position])) {
    for (const Int& number : *list) {
      if (!number.known()) fail("a size is only known at run time");
      numbers.push_back(number.value);
    }
  }
  return numbers;
}

std::vector<ValueId> CutNode::list(std::size_t position) const {
  std::vector<ValueId> values;
  if (const auto* uses = std::get_if<std::vector<Use>>(&whole_.args[position])) {
    for (const Use& use : *uses) {
      if (use.value != kNoId) values.push_back(use.value);
    }
  }
  return values;
}

std::int64_t CutNode::share(std::int64_t size) const {
  if (size % ranks_ == 0) return size / ranks_;
  const std::string scope = graph_.scope_path(whole_.scope);
  throw Error(ErrorKind::kUsage,
              (scope.empty() ? whole_.op : scope) + ": " + std::to_string(size) +
                  " heads (or channels) do not divide by " + std::to_string(ranks_) + " ranks",
              "choose a number of ranks that divides them");
}

void CutNode::fail(const std::string& why) const {
  const std::string scope = graph_.scope_path(whole_.scope);
  throw Error(ErrorKind::kUnsupported,
              "tensor parallel: " + whole_.op + (scope.empty() ? "" : " in " + scope) + ": " + why,
              "leave its layers out of the plan: --tensor-parallel-plan FILE");
}

CutRule find_cut_rule(const Op& op) {
  static const std::map<std::string_view, CutRule> kAll = all_rules();
  if (const auto found = kAll.find(op.name); found != kAll.end()) return found->second;
  return is_elementwise(op) ? cut_elementwise : nullptr;
}

bool keeps_partial(const Graph& graph, const Node& node, ValueId partial) {
  const auto is_it = [&](std::size_t i) {
    const auto* use = i < node.args.size() ? std::get_if<Use>(&node.args[i]) : nullptr;
    return use != nullptr && use->value == partial;
  };
  if (node.op == "aten.masked_fill.Scalar")
    return is_it(0) && (node.args[2] == Argument(0.0) || node.args[2] == Argument(std::int64_t{0}));
  if (node.op == "aten.mul.Tensor") return is_it(0) != is_it(1);
  if (node.op == "aten.to.dtype" || node.op == "aten.to.dtype_layout") {
    return graph.values[node.outputs[0]].type.dtype == graph.values[partial].type.dtype;
  }
  constexpr std::array<std::string_view, 5> kLinear = {"aten.index.Tensor", "aten.view.default", "aten.reshape.default",
                                                       "aten.sum.dim_IntList", "aten.transpose.int"};
  return is_it(0) && std::find(kLinear.begin(), kLinear.end(), node.op) != kLinear.end();
}

}  // namespace nongemm::passes
