#include "lowering/fold_constants.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lowering/graph_lowering.h"
#include "onnx/fold.h"

namespace nongemm::onnx {
namespace {

class Folding {
 public:
  Folding(ModelDef& model, const GiveWeight& give, std::int64_t most_elements)
      : model_(model), give_(give), most_elements_(most_elements) {
    for (const Initializer& initializer : model.graph.initializers)
      initializers_.emplace(initializer.name, &initializer);
    for (const ValueDef& output : model.graph.outputs) outputs_.insert(output.name);
  }

  std::size_t run() {
    GraphDef& graph = model_.graph;
    std::vector<NodeDef> kept;
    const std::size_t before = graph.nodes.size();
    for (NodeDef& node : graph.nodes) {
      std::optional<KnownValue> value = result_of(node);
      if (value) {
        order_.push_back(node.outputs[0]);
        known_.insert_or_assign(node.outputs[0], std::move(value));
      } else {
        kept.push_back(std::move(node));
      }
    }
    graph.nodes = std::move(kept);
    for (const std::string& name : order_) {
      const HostTensor tensor = tensor_of(*known_.at(name));
      graph.initializers.push_back({.name = name, .dtype = tensor.dtype, .shape = tensor.shape, .data = tensor});
    }
    prune(graph);  // of constants that only others were made of
    return before - graph.nodes.size();
  }

 private:
  std::optional<KnownValue> result_of(const NodeDef& node) {
    if (node.outputs.size() != 1 || outputs_.contains(node.outputs[0])) return std::nullopt;
    std::vector<const KnownValue*> inputs;
    for (const std::string& input : node.inputs) {
      inputs.push_back(input.empty() ? nullptr : known(input));
      if (!input.empty() && inputs.back() == nullptr) return std::nullopt;
    }
    return fold({node.type, node.attributes, model_.opset, most_elements_}, inputs);
  }

  /// A weight is asked for when all else that a node needs may be known, and no more than once.
  const KnownValue* known(const std::string& name) {
    auto found = known_.find(name);
    if (found == known_.end()) {
      const auto initializer = initializers_.find(name);
      if (initializer == initializers_.end()) return nullptr;
      const bool small = element_count(initializer->second->shape) <= most_elements_;
      found =
          known_
              .emplace(name, small ? known_value(tensor_of(*initializer->second, give_), most_elements_) : std::nullopt)
              .first;
    }
    return found->second ? &*found->second : nullptr;
  }

  ModelDef& model_;
  const GiveWeight& give_;
  std::int64_t most_elements_;
  std::unordered_map<std::string, const Initializer*> initializers_;
  std::unordered_map<std::string, std::optional<KnownValue>> known_;
  std::unordered_set<std::string> outputs_;
  std::vector<std::string> order_;
};

}  // namespace

std::size_t fold_constants(ModelDef& model, const GiveWeight& give, std::int64_t most_elements) {
  return Folding(model, give, most_elements).run();
}

}  // namespace nongemm::onnx
