#include "prepare/routing.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "ops/routing.h"

namespace nongemm {
namespace {

/// The last choice of the best in each router.
std::vector<NodeId> choices(const Graph& graph) {
  std::map<ScopeId, NodeId> last;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    const std::string& module = graph.scopes[node.scope].type;
    if (node.op == "aten.topk.default" && (is_router(module) || holds_experts(module))) last[node.scope] = id;
  }
  std::vector<NodeId> nodes;
  for (const auto& [scope, id] : last) nodes.push_back(id);
  return nodes;
}

/// The input of topk has one score for each expert.
std::int64_t experts_of(const Graph& graph, NodeId id) {
  return graph.values[std::get<Use>(graph.nodes[id].args.at(0)).value].type.shape.back();
}

/// In turns: every expert gets as many tokens as the others, or one more.
std::int64_t in_turns(std::int64_t token, std::int64_t chosen, std::int64_t count, std::int64_t experts) {
  return (token * count + chosen) % experts;
}

/// The more popular, the earlier: the n-th expert is drawn with a weight of 1 / n, each at most once for a token.
class Popularity {
 public:
  explicit Popularity(std::int64_t experts) : experts_(experts) {}

  std::vector<std::int64_t> draw(std::int64_t count) {
    std::vector<double> weights(static_cast<std::size_t>(experts_));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1.0 / static_cast<double>(i + 1);
    std::vector<std::int64_t> drawn;
    while (std::cmp_less(drawn.size(), count)) {
      double at = next() * std::accumulate(weights.begin(), weights.end(), 0.0);
      std::size_t i = 0;
      while (i + 1 < weights.size() && (at >= weights[i] || weights[i] == 0.0)) at -= weights[i++];
      while (weights[i] == 0.0) i = (i + 1) % weights.size();  // rounding at the end
      weights[i] = 0.0;
      drawn.push_back(static_cast<std::int64_t>(i));
    }
    return drawn;
  }

 private:
  /// In [0, 1): the same numbers in every run (Knuth's MMIX generator).
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) * 0x1.0p-53;
  }

  std::int64_t experts_;
  std::uint64_t state_ = 1;
};

HostTensor fixed_choice(const Shape& shape, std::int64_t experts, Routing routing) {
  const std::int64_t count = shape.back();
  const std::int64_t tokens = element_count(shape) / count;
  Popularity popularity(experts);
  std::vector<std::int64_t> numbers;
  for (std::int64_t token = 0; token < tokens; ++token) {
    if (routing == Routing::kSkewed) {
      const std::vector<std::int64_t> drawn = popularity.draw(count);
      numbers.insert(numbers.end(), drawn.begin(), drawn.end());
    } else {
      for (std::int64_t i = 0; i < count; ++i) numbers.push_back(in_turns(token, i, count, experts));
    }
  }
  return HostTensor::from<std::int64_t>(DType::kInt64, shape, numbers);
}

/// Every use of one value becomes one of another.
void replace_uses(Graph& graph, ValueId old, ValueId replacement) {
  const auto turn = [&](Use& use) {
    if (use.value == old) use.value = replacement;
  };
  for (Node& node : graph.nodes) {
    for (Argument& argument : node.args) {
      if (auto* use = std::get_if<Use>(&argument)) turn(*use);
      if (auto* uses = std::get_if<std::vector<Use>>(&argument)) std::for_each(uses->begin(), uses->end(), turn);
    }
  }
}

}  // namespace

void set_routing(Graph& graph, Routing routing) {
  const std::vector<NodeId> routers = choices(graph);
  if (routing == Routing::kModel) {
    if (!routers.empty())
      graph.attributes["routing"] = "the router's own choice, arbitrary unless its weights are trained";
    return;
  }
  if (routers.empty()) {
    throw Error(ErrorKind::kUsage, graph.name + ": no mixture of experts is there for --routing to decide on",
                "leave it out");
  }
  for (const NodeId id : routers) {
    const ValueId chosen = graph.nodes[id].outputs.at(1);
    const Type type = graph.values[chosen].type;
    const std::int64_t experts = experts_of(graph, id);
    if (experts == kDynamic || std::find(type.shape.begin(), type.shape.end(), kDynamic) != type.shape.end()) {
      throw Error(ErrorKind::kUnsupported, graph.name + ": --routing with a number of tokens that only the run knows",
                  "give the inputs' shapes with --input");
    }
    const auto fixed = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(Value{type, kNoId});
    graph.constants.push_back(Constant{fixed, fixed_choice(type.shape, experts, routing)});
    replace_uses(graph, chosen, fixed);
  }
  graph.attributes["routing"] = routing == Routing::kBalanced ? "balanced: the experts take turns"
                                                              : "skewed: the n-th expert is drawn with a weight of 1/n";
}

}  // namespace nongemm
