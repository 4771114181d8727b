#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "lowering/graph_lowering.h"

namespace nongemm::onnx {
namespace {

template <typename Visit>
void for_each_subgraph(const NodeDef& node, Visit&& visit) {
  for (const Attribute& attribute : node.attributes) {
    if (const auto* graph = std::get_if<std::shared_ptr<GraphDef>>(&attribute.value)) visit(**graph);
  }
}

/// Names a graph uses, its own results among them.
void add_uses(const GraphDef& graph, std::unordered_set<std::string>& names) {
  for (const ValueDef& output : graph.outputs) names.insert(output.name);
  for (const NodeDef& node : graph.nodes) {
    names.insert(node.inputs.begin(), node.inputs.end());
    for_each_subgraph(node, [&](const GraphDef& inner) { add_uses(inner, names); });
  }
}

/// Gives bodies of control nodes copies of the constants that they use.
class LocalConstants {
 public:
  explicit LocalConstants(const GraphDef& graph) {
    for (const Initializer& constant : graph.initializers) {
      if (!constant.is_weight() && constant.dtype == DType::kInt64 && element_count(constant.shape) <= kMostElements) {
        constants_.emplace(constant.name, &constant);
      }
    }
  }

  void add_to_bodies(GraphDef& graph) {
    for (NodeDef& node : graph.nodes) {
      for_each_subgraph(node, [&](GraphDef& body) {
        add_to(body);
        add_to_bodies(body);
      });
    }
  }

 private:
  /// Shapes, axes and bounds; larger tensors are data, whose values nothing is inferred from.
  static constexpr std::int64_t kMostElements = 64;

  void add_to(GraphDef& body) {
    std::unordered_map<std::string, std::string> here;
    for (NodeDef& node : body.nodes) {
      for (std::string& input : node.inputs) {
        const auto constant = constants_.find(input);
        if (constant == constants_.end()) continue;
        const auto [copy, is_new] = here.try_emplace(input);
        if (is_new) {
          copy->second = input + "." + std::to_string(++copies_);
          body.initializers.push_back(*constant->second);
          body.initializers.back().name = copy->second;
        }
        input = copy->second;
      }
    }
  }

  std::unordered_map<std::string, const Initializer*> constants_;
  int copies_ = 0;
};

}  // namespace

void localise_constants(GraphDef& graph) {
  LocalConstants(graph).add_to_bodies(graph);  // which leaves the graph's own constants where they are
}

void rename_everywhere(GraphDef& graph, const std::string& from, const std::string& to) {
  for (ValueDef& output : graph.outputs) {
    if (output.name == from) output.name = to;
  }
  for (NodeDef& node : graph.nodes) {
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    std::replace(node.outputs.begin(), node.outputs.end(), from, to);
    for_each_subgraph(node, [&](GraphDef& inner) { rename_everywhere(inner, from, to); });
  }
}

void prune(GraphDef& graph) {
  std::unordered_set<std::string> needed;
  for (const ValueDef& output : graph.outputs) needed.insert(output.name);
  std::vector<NodeDef> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool used = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](const std::string& output) { return needed.contains(output); });
    if (!used) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    for_each_subgraph(*node, [&](GraphDef& inner) {
      prune(inner);
      add_uses(inner, needed);
    });
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers, [&](const Initializer& tensor) { return !needed.contains(tensor.name); });
}

}  // namespace nongemm::onnx
