#include "programs/tensorrt/blocks.h"

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "onnx/names.h"
#include "ops/op.h"

namespace nongemm::tensorrt {
namespace {

constexpr std::array<std::string_view, 6> kProducts = {"fc_", "gemm", "matmul", "bmm", "conv", "dot"};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<NodeId> common(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  std::vector<NodeId> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// Calls `visit` with each piece of a range's name: what Myelin put into one kernel, between signs of addition.
template <typename Visit>
void for_each_piece(std::string_view range, Visit&& visit) {
  while (!range.empty()) {
    const std::string_view piece = range.substr(0, range.find('+'));
    range.remove_prefix(std::min(range.size(), piece.size() + 1));
    visit(piece);
  }
}

/// The nodes that a range names, ascending. A cast that TensorRT put behind a value says that it is read here, not that
/// its node runs here: it counts where the range names nothing else.
std::vector<NodeId> nodes_in(std::string_view range) {
  std::string rest;
  for_each_piece(range, [&](std::string_view piece) {
    if (!contains(piece, "'castTo")) rest.append("+").append(piece);
  });
  std::vector<NodeId> nodes = onnx::graph_nodes_in(rest);
  return nodes.empty() ? onnx::graph_nodes_in(range) : nodes;
}

/// One range inside an opaque step.
struct Inner {
  RuntimeNode step;
  int place = 0;  // among all ranges
  std::vector<NodeId> mentioned;
};

Inner inner_step(const std::string& range, std::size_t place, const RuntimeNode& block,
                 const std::vector<NodeId>& folded) {
  Inner inner{{}, static_cast<int>(place), nodes_in(range)};
  inner.step.name = range;
  inner.step.type = "Myelin kernel";
  inner.step.covers = common(block.covers, inner.mentioned);
  // Nodes that depend on no input may run in a block all the same: one that a range mentions has not been computed by
  // the builder.
  const std::vector<NodeId> not_folded = common(folded, inner.mentioned);
  inner.step.covers.insert(inner.step.covers.end(), not_folded.begin(), not_folded.end());
  std::sort(inner.step.covers.begin(), inner.step.covers.end());
  inner.step.opaque = inner.step.covers.empty();
  return inner;
}

/// By step: the ranges that mention its nodes, and those without one of them that follow such a range or that of the
/// block itself. Once for each block: blocks that are alike share the names of their kernels.
std::vector<std::vector<Inner>> inner_steps(const RuntimeProgram& program, const std::vector<std::string>& ranges) {
  std::map<std::string_view, std::size_t> steps;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) steps.try_emplace(program.nodes[i].name, i);
  std::vector<NodeId> folded = program.folded;
  std::sort(folded.begin(), folded.end());
  std::vector<std::vector<Inner>> inner(program.nodes.size());
  std::set<std::pair<std::size_t, std::string_view>> seen;
  std::size_t current = SIZE_MAX;
  for (std::size_t place = 0; place < ranges.size(); ++place) {
    const std::string& range = ranges[place];
    if (const auto step = steps.find(range); step != steps.end()) {
      if (program.nodes[step->second].opaque) current = step->second;
      continue;
    }
    const std::vector<NodeId> nodes = nodes_in(range);
    for (std::size_t i = 0; i < program.nodes.size() && !nodes.empty(); ++i) {
      if (program.nodes[i].opaque && !common(program.nodes[i].covers, nodes).empty()) {
        current = i;
        break;
      }
    }
    if (current == SIZE_MAX || !seen.emplace(current, range).second) continue;
    inner[current].push_back(inner_step(range, place, program.nodes[current], folded));
  }
  return inner;
}

/// Between which places of the order of launching each node of a block must have run, as far as the block's own ranges
/// tell: what it needs from outside was there before it began.
class Places {
 public:
  Places(const Graph& graph, const std::vector<Inner>& block)
      : after_(graph.nodes.size(), -1),
        before_(graph.nodes.size(), INT_MAX),
        first_(graph.nodes.size(), INT_MAX),
        last_(graph.nodes.size(), -1) {
    for (const Inner& inner : block) {
      for (const NodeId node : inner.mentioned) {
        if (node >= graph.nodes.size()) continue;
        first_[node] = std::min(first_[node], inner.place);
        last_[node] = std::max(last_[node], inner.place);
      }
    }
    // Nodes stand in the order in which they can run: one pass forwards, one back.
    for (NodeId node = 0; node < graph.nodes.size(); ++node) {
      for_each_source(graph, node, [&](NodeId source) {
        after_[node] = std::max({after_[node], after_[source], last_[source]});
      });
    }
    for (NodeId node = static_cast<NodeId>(graph.nodes.size()); node-- > 0;) {
      for_each_source(graph, node, [&](NodeId source) {
        before_[source] = std::min({before_[source], before_[node], first_[node]});
      });
    }
  }

  bool can_run_at(NodeId node, int place) const { return after_[node] < place && place < before_[node]; }
  /// In one kernel with what it needs or with what needs it, too.
  bool can_run_in(NodeId node, int place) const { return after_[node] <= place && place <= before_[node]; }
  /// Before the first range that mentions it.
  bool can_begin_at(NodeId node, int place) const {
    return after_[node] < place && place < first_[node] && place < before_[node];
  }
  /// Between ranges that mention it.
  bool is_under_way_at(NodeId node, int place) const { return first_[node] < place && place < last_[node]; }

 private:
  template <typename Visit>
  static void for_each_source(const Graph& graph, NodeId node, Visit&& visit) {
    for (const Argument& argument : graph.nodes[node].args) {
      for_each_use(argument, [&](ValueId value) {
        if (graph.values[value].producer != kNoId) visit(graph.values[value].producer);
      });
    }
  }

  std::vector<int> after_;
  std::vector<int> before_;
  std::vector<int> first_;  // place of the first range that mentions it
  std::vector<int> last_;
};

/// "fc__mye11081": a matrix product, as Myelin calls what it made of one or several of them; "__mye46475_fc" of int8.
bool announces_product(std::string_view range) {
  const auto is_product = [&](std::string_view start) { return range.starts_with(start); };
  return std::any_of(kProducts.begin(), kProducts.end(), is_product) ||
         (range.starts_with("__mye") && range.ends_with("_fc"));
}

bool is_product(const Graph& graph, NodeId node) {
  const Op* op = OpTable::get().find(graph.nodes[node].op);
  return op != nullptr && counts_as_gemm(group_of(graph, graph.nodes[node], *op));
}

/// Operators whose kernels Myelin announces by their parts, without the node's name.
struct Parts {
  std::string_view op;     // begins with
  std::string_view parts;  // a piece of the range begins with it, or has it where it stands in brackets
};
constexpr std::array kParts = {Parts{"aten.layer_norm", "[Normalization]"}, Parts{"aten.gelu", "gelu_"},
                               Parts{"aten.softmax", "maxred"}};

bool has_part(std::string_view range, std::string_view part) {
  bool found = false;
  for_each_piece(range, [&](std::string_view piece) {
    found = found || piece.starts_with(part) || (part.starts_with('[') && contains(piece, part));
  });
  return found;
}

void cover(NodeId node, RuntimeNode& step) {
  step.covers.insert(std::upper_bound(step.covers.begin(), step.covers.end(), node), node);
}

/// Gives nodes that no range names to the ranges that name their parts, at a place where they can have run.
void find_parts(const Graph& graph, const Places& places, const std::vector<NodeId>& open, std::vector<Inner>& inner) {
  for (const Parts& kind : kParts) {
    for (const NodeId node : open) {
      if (!graph.nodes[node].op.starts_with(kind.op)) continue;
      for (Inner& kernel : inner) {
        if (has_part(kernel.step.name, kind.parts) && places.can_run_in(node, kernel.place)) cover(node, kernel.step);
      }
    }
  }
}

bool reads(const Graph& graph, NodeId reader, NodeId node) {
  bool found = false;
  for (const Argument& argument : graph.nodes[reader].args) {
    for_each_use(argument, [&](ValueId value) { found = found || graph.values[value].producer == node; });
  }
  return found;
}

/// A GELU that the model wrote out around a tanh: that, and the open arithmetic that hangs together with it.
std::vector<NodeId> written_out_gelu(const Graph& graph, NodeId tanh, const std::vector<NodeId>& open) {
  constexpr std::array<std::string_view, 3> kOf = {"aten.mul", "aten.add", "aten.pow"};
  std::vector<NodeId> found = {tanh};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const NodeId node : open) {
      const std::string& op = graph.nodes[node].op;
      const bool arithmetic = std::any_of(kOf.begin(), kOf.end(), [&](auto name) { return op.starts_with(name); });
      if (!arithmetic || std::find(found.begin(), found.end(), node) != found.end()) continue;
      if (reads(graph, node, found[i]) || reads(graph, found[i], node)) found.push_back(node);
    }
  }
  return found;
}

void find_written_out(const Graph& graph, const Places& places, const std::vector<NodeId>& open,
                      std::vector<Inner>& inner) {
  for (const NodeId tanh : open) {
    if (!graph.nodes[tanh].op.starts_with("aten.tanh")) continue;
    for (Inner& kernel : inner) {
      if (!has_part(kernel.step.name, "gelu_") || !places.can_run_in(tanh, kernel.place)) continue;
      for (const NodeId node : written_out_gelu(graph, tanh, open)) {
        if (places.can_run_in(node, kernel.place)) cover(node, kernel.step);
      }
    }
  }
}

/// Gives ranges without a node those that can have run there. Products and the rest are kept apart where the range's
/// name tells, since time in a product counts as GEMM.
void find_candidates(const Graph& graph, const Places& places, const std::vector<NodeId>& open, Inner& inner) {
  const bool product = announces_product(inner.step.name);
  for (const NodeId node : open) {
    if (is_product(graph, node) == product && places.can_run_at(node, inner.place)) inner.step.covers.push_back(node);
  }
}

/// Graph nodes of which a range says that it multiplies their matrices, not only that it adds their bias.
std::set<NodeId> announced_products(const std::vector<std::string>& ranges) {
  std::set<NodeId> nodes;
  for (const std::string& range : ranges) {
    for_each_piece(range, [&](std::string_view piece) {
      if (!contains(piece, "_matrix_multiply")) return;
      const std::vector<NodeId> mentioned = onnx::graph_nodes_in(piece);
      nodes.insert(mentioned.begin(), mentioned.end());
    });
  }
  return nodes;
}

bool is_attention(std::string_view op) {
  return op.starts_with("aten.scaled_dot_product_attention") || op.starts_with("aten._native_multi_head_attention");
}

/// Operators that a range without a node tells by its own name.
std::vector<std::string> operators_in(std::string_view range) {
  if (announces_product(range)) return {"MatMul"};
  if (contains(range, "maxred")) return {"Softmax"};
  if (contains(range, "post_xpos") || range.starts_with("split_")) return {"Transpose"};
  if (range.starts_with("slice_")) return {"Slice"};
  return {};
}

/// Nodes with a part in a nameless range, besides those that name them. A product of several nodes' matrices at once
/// has no name, what follows of them (the biases) has; and so it is with the softmax between the products of an
/// attention.
void find_shared(const Graph& graph, const Places& places, const std::set<NodeId>& named_products,
                 const std::set<NodeId>& block, Inner& inner) {
  const bool product = announces_product(inner.step.name);
  bool between_products = false;
  for (const NodeId node : block) {
    const bool begins =
        product && is_product(graph, node) && !named_products.contains(node) && places.can_begin_at(node, inner.place);
    const bool goes_on = !product && is_attention(graph.nodes[node].op) && places.is_under_way_at(node, inner.place);
    if (begins || goes_on) inner.step.covers.push_back(node);
    between_products |= goes_on;
  }
  // Not the attention's products: its time is not theirs.
  if (between_products) inner.step.operators = {contains(inner.step.name, "maxred") ? "Softmax" : "Transpose"};
}

/// An int8 product is two kernels: sums, and their scales together with what follows. Time in the second is of what
/// follows, or of the multiplication by scales where nothing does.
void leave_scales_to_neighbours(const Graph& graph, std::vector<Inner>& block) {
  std::set<NodeId> multiplied;
  for (const Inner& inner : block) {
    if (announces_product(inner.step.name)) multiplied.insert(inner.step.covers.begin(), inner.step.covers.end());
  }
  for (Inner& inner : block) {
    if (announces_product(inner.step.name)) continue;
    std::vector<NodeId> rest;
    std::copy_if(inner.step.covers.begin(), inner.step.covers.end(), std::back_inserter(rest), [&](NodeId node) {
      return !graph.nodes[node].op.starts_with("nongemm.int8_linear") || !multiplied.contains(node);
    });
    if (rest.size() == inner.step.covers.size()) continue;
    if (rest.empty()) {
      inner.step.operators = {"Mul"};
    } else {
      inner.step.covers = std::move(rest);
    }
  }
}

/// Kernels of several blocks that have one name are one step: their times cannot be told apart.
void cover_also(const RuntimeNode& again, RuntimeNode& step) {
  std::vector<NodeId> both;
  std::set_union(step.covers.begin(), step.covers.end(), again.covers.begin(), again.covers.end(),
                 std::back_inserter(both));
  step.covers = std::move(both);
  if (step.operators.empty()) step.operators = again.operators;
}

}  // namespace

RuntimeProgram with_ranges(const Graph& graph, const RuntimeProgram& program, const std::vector<std::string>& ranges) {
  std::vector<std::vector<Inner>> inner = inner_steps(program, ranges);
  const std::set<NodeId> products = announced_products(ranges);
  RuntimeProgram result{{}, program.folded};
  std::map<std::string, std::size_t> by_name;
  for (const std::vector<Inner>& kernels : inner) {
    for (const Inner& kernel : kernels) {
      std::erase_if(result.folded, [&](NodeId node) {
        return std::binary_search(kernel.step.covers.begin(), kernel.step.covers.end(), node);
      });
    }
  }
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    RuntimeNode step = program.nodes[i];
    const auto take_away = [&step](const std::vector<Inner>& from) {
      std::set<NodeId> taken;
      for (const Inner& kernel : from) taken.insert(kernel.step.covers.begin(), kernel.step.covers.end());
      std::erase_if(step.covers, [&](NodeId node) { return taken.contains(node); });
      return !taken.empty();
    };
    const Places places(graph, inner[i]);
    std::set<NodeId> block(step.covers.begin(), step.covers.end());
    for (const Inner& kernel : inner[i]) block.insert(kernel.step.covers.begin(), kernel.step.covers.end());
    if (take_away(inner[i])) {
      find_parts(graph, places, step.covers, inner[i]);
      find_written_out(graph, places, step.covers, inner[i]);
      take_away(inner[i]);
      for (Inner& kernel : inner[i]) {
        if (kernel.step.covers.empty()) find_candidates(graph, places, step.covers, kernel);
        if (kernel.step.covers.empty()) find_shared(graph, places, products, block, kernel);
        if (kernel.step.covers.empty()) kernel.step.operators = operators_in(kernel.step.name);
      }
      leave_scales_to_neighbours(graph, inner[i]);
      take_away(inner[i]);
      if (step.covers.empty()) step.role = RuntimeRole::kOther;
      step.opaque = !step.covers.empty();
    }
    result.nodes.push_back(std::move(step));
    for (Inner& kernel : inner[i]) {
      const auto [same, added] = by_name.try_emplace(kernel.step.name, result.nodes.size());
      if (added) {
        result.nodes.push_back(std::move(kernel.step));
      } else {
        cover_also(kernel.step, result.nodes[same->second]);
      }
    }
  }
  return result;
}

}  // namespace nongemm::tensorrt
