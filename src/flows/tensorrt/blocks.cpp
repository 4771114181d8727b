#include "flows/tensorrt/blocks.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "onnx/names.h"
#include "ops/op.h"

namespace nongemm::tensorrt {
namespace {

constexpr std::array<std::string_view, 6> kProducts = {"fc_", "gemm", "matmul", "bmm", "conv", "dot"};

std::vector<NodeId> common(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  std::vector<NodeId> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// One range inside an opaque step.
struct Inner {
  RuntimeNode step;
  int place = 0;  // among all ranges
};

/// By step: the ranges that mention its nodes, and those without a node that follow one of them.
std::vector<std::vector<Inner>> inner_steps(const RuntimeProgram& program, const std::vector<std::string>& ranges) {
  std::set<std::string> known;
  for (const RuntimeNode& step : program.nodes) known.insert(step.name);
  std::vector<std::vector<Inner>> inner(program.nodes.size());
  std::size_t current = SIZE_MAX;
  for (std::size_t place = 0; place < ranges.size(); ++place) {
    const std::string& range = ranges[place];
    if (!known.insert(range).second) continue;
    const std::vector<NodeId> nodes = onnx::graph_nodes_in(range);
    for (std::size_t i = 0; i < program.nodes.size() && !nodes.empty(); ++i) {
      if (program.nodes[i].opaque && !common(program.nodes[i].covers, nodes).empty()) {
        current = i;
        break;
      }
    }
    if (current == SIZE_MAX) continue;
    Inner entry{{}, static_cast<int>(place)};
    entry.step.name = range;
    entry.step.type = "Myelin kernel";
    entry.step.covers = common(program.nodes[current].covers, nodes);
    entry.step.opaque = entry.step.covers.empty();
    inner[current].push_back(std::move(entry));
  }
  return inner;
}

/// Which graph nodes run in each range, as far as its name tells: nothing for the block as a whole, which begins before
/// all that is in it, and for copies, which carry the name of what they copy for.
std::vector<std::vector<NodeId>> nodes_of_ranges(const RuntimeProgram& program,
                                                 const std::vector<std::string>& ranges) {
  std::map<std::string_view, const RuntimeNode*> steps;
  for (const RuntimeNode& step : program.nodes) steps.try_emplace(step.name, &step);
  std::vector<std::vector<NodeId>> nodes;
  for (const std::string& range : ranges) {
    const auto step = steps.find(range);
    if (step == steps.end()) {
      nodes.push_back(onnx::graph_nodes_in(range));
    } else {
      nodes.push_back(step->second->opaque ? std::vector<NodeId>() : step->second->covers);
    }
  }
  return nodes;
}

/// Between which places of the order of launching each graph node must have run.
class Places {
 public:
  Places(const Graph& graph, const std::vector<std::vector<NodeId>>& ranges)
      : after_(graph.nodes.size(), -1), before_(graph.nodes.size(), static_cast<int>(ranges.size())) {
    std::vector<int> first(graph.nodes.size(), static_cast<int>(ranges.size()));
    std::vector<int> last(graph.nodes.size(), -1);
    for (std::size_t place = 0; place < ranges.size(); ++place) {
      for (const NodeId node : ranges[place]) {
        if (node >= graph.nodes.size()) continue;
        first[node] = std::min(first[node], static_cast<int>(place));
        last[node] = static_cast<int>(place);
      }
    }
    // Nodes stand in the order in which they can run: one pass forwards, one back.
    for (NodeId node = 0; node < graph.nodes.size(); ++node) {
      for_each_source(graph, node, [&](NodeId source) {
        after_[node] = std::max({after_[node], after_[source], last[source]});
      });
    }
    for (NodeId node = static_cast<NodeId>(graph.nodes.size()); node-- > 0;) {
      for_each_source(graph, node, [&](NodeId source) {
        before_[source] = std::min({before_[source], before_[node], first[node]});
      });
    }
  }

  bool can_run_at(NodeId node, int place) const { return after_[node] < place && place < before_[node]; }
  /// In one kernel with what it needs or with what needs it, too.
  bool can_run_in(NodeId node, int place) const { return after_[node] <= place && place <= before_[node]; }

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
};

/// "fc__mye11081": a matrix product, as Myelin calls what it made of one or several of them.
bool announces_product(std::string_view range) {
  return std::any_of(kProducts.begin(), kProducts.end(),
                     [&](std::string_view start) { return range.starts_with(start); });
}

bool is_product(const Graph& graph, NodeId node) {
  const Op* op = OpTable::get().find(graph.nodes[node].op);
  return op != nullptr && counts_as_gemm(group_of(graph, graph.nodes[node], *op));
}

/// Operators whose kernels Myelin announces by their parts, without the node's name.
struct Parts {
  std::string_view op;     // begins with
  std::string_view parts;  // contained in the range
};
constexpr std::array kParts = {Parts{"aten.layer_norm", "[Normalization]"}, Parts{"aten.gelu", "gelu_"},
                               Parts{"aten.softmax", "maxred"}};

/// Gives nodes that no range names to the ranges that name their parts, at a place where they can have run.
void find_parts(const Graph& graph, const Places& places, const std::vector<NodeId>& open, std::vector<Inner>& inner) {
  for (const Parts& kind : kParts) {
    for (const NodeId node : open) {
      if (!graph.nodes[node].op.starts_with(kind.op)) continue;
      for (Inner& kernel : inner) {
        if (kernel.step.name.find(kind.parts) == std::string::npos || !places.can_run_in(node, kernel.place)) continue;
        std::vector<NodeId>& covers = kernel.step.covers;
        covers.insert(std::upper_bound(covers.begin(), covers.end(), node), node);
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

}  // namespace

RuntimeProgram with_ranges(const Graph& graph, const RuntimeProgram& program, const std::vector<std::string>& ranges) {
  std::vector<std::vector<Inner>> inner = inner_steps(program, ranges);
  const Places places(graph, nodes_of_ranges(program, ranges));
  RuntimeProgram result{{}, program.folded};
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    RuntimeNode step = program.nodes[i];
    const auto take_away = [&step](const std::vector<Inner>& from) {
      std::set<NodeId> taken;
      for (const Inner& kernel : from) taken.insert(kernel.step.covers.begin(), kernel.step.covers.end());
      std::erase_if(step.covers, [&](NodeId node) { return taken.contains(node); });
      return !taken.empty();
    };
    if (take_away(inner[i])) {
      find_parts(graph, places, step.covers, inner[i]);
      take_away(inner[i]);
      for (Inner& kernel : inner[i]) {
        if (kernel.step.covers.empty()) find_candidates(graph, places, step.covers, kernel);
      }
      take_away(inner[i]);
      if (step.covers.empty()) step.role = RuntimeRole::kOther;
      step.opaque = !step.covers.empty();
    }
    result.nodes.push_back(std::move(step));
    for (Inner& kernel : inner[i]) result.nodes.push_back(std::move(kernel.step));
  }
  return result;
}

}  // namespace nongemm::tensorrt
