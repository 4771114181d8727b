#include "programs/tensorrt/engine_map.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "traces/tensorrt/names.h"

namespace nongemm::traces {
namespace {

bool contains(std::string_view text, std::string_view piece) { return text.find(piece) != std::string_view::npos; }

bool is_constant(const EngineLayer& layer) { return layer.type == "Constant"; }

/// Copies and changes of format that TensorRT puts between layers. Some of them stand for an ONNX node (a Concat of
/// copies); those say so in their metadata, or their tensors do.
bool is_reformat(const EngineLayer& layer) {
  return layer.name.starts_with("Reformatting CopyNode") || layer.type == "Reformat" ||
         layer.type == "MyelinReformat" || layer.type == "NoOp";
}

RuntimeRole role_without_nodes(const EngineLayer& layer) {
  static const std::set<std::string_view> kHousekeeping = {"Constant", "signal", "wait", "shape_call", "TrainStation"};
  if (is_reformat(layer)) return RuntimeRole::kReformat;
  if (contains(layer.type, "DeviceToShapeHost")) return RuntimeRole::kCopyToHost;
  if (contains(layer.type, "ShapeHostToDevice")) return RuntimeRole::kCopyToDevice;
  if (kHousekeeping.contains(layer.type) || contains(layer.name, "[trainStation")) return RuntimeRole::kOther;
  return RuntimeRole::kCompute;
}

class EngineMapper {
 public:
  EngineMapper(const TensorRtEngine& engine, const OnnxNodes& model)
      : engine_(engine), model_(model), claims_(engine.layers.size()), claimants_(model.nodes.size()) {
    index_model();
    find_constants();
    for (std::size_t layer = 0; layer < engine.layers.size(); ++layer) claim(layer);
    join_reformatted();
    for (const EngineLayer& layer : engine.layers) {
      for (const std::string& output : layer.outputs) engine_tensors_.insert(resolve(output));
    }
  }

  EngineMap map() {
    EngineMap result;
    std::vector<bool> covered(model_.nodes.size(), false);
    for (std::size_t layer = 0; layer < engine_.layers.size(); ++layer) {
      result.layers.push_back(cover(layer));
      for (const std::size_t node : result.layers.back().nodes) covered[node] = true;
    }
    for (std::size_t node = 0; node < covered.size(); ++node) {
      if (!covered[node]) result.folded.push_back(node);
    }
    return result;
  }

 private:
  void index_model() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      node_of_name_.try_emplace(model_.nodes[i].name, i);
      for (const std::string& output : model_.nodes[i].outputs) {
        if (!output.empty()) producer_.try_emplace(output, i);
      }
    }
    node_of_name_.erase("");
    known_tensors_.insert(model_.inputs.begin(), model_.inputs.end());
    known_tensors_.insert(model_.initializers.begin(), model_.initializers.end());
  }

  /// Nodes that depend on no input of the model: the builder computes them. So it does with shapes, which are fixed.
  void find_constants() {
    std::unordered_set<std::string_view> constants(model_.initializers.begin(), model_.initializers.end());
    constant_.resize(model_.nodes.size());
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      const OnnxNode& node = model_.nodes[i];
      const auto known = [&](const std::string& input) { return input.empty() || constants.contains(input); };
      constant_[i] = node.type == "Shape" || node.type == "Size" || node.type == "Constant" ||
                     (!node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(), known));
      if (constant_[i]) constants.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  /// Nodes that the layer itself mentions.
  void claim(std::size_t layer) {
    const EngineLayer& of = engine_.layers[layer];
    // Names of copies are made of the names of their neighbours.
    if (is_constant(of) || of.name.starts_with("Reformatting CopyNode")) return;
    std::vector<std::string> names = of.onnx_nodes;
    if (names.empty()) names = parts_of_name(of.name);
    if (names.empty() || of.onnx_nodes.empty()) names.push_back(of.name);
    for (const std::string& name : names) {
      const auto found = node_of_name_.find(name);
      if (found == node_of_name_.end() || !claims_[layer].insert(found->second).second) continue;
      // A block may compute again what another computes, too.
      if (!is_foreign_node(of.name)) claimants_[found->second].push_back(layer);
    }
  }

  bool is_known(const std::string& tensor) const {
    return producer_.contains(tensor) || known_tensors_.contains(tensor);
  }

  /// Tensors that hold the same values in another format go by the name they have in the model.
  void join_reformatted() {
    const auto join = [&](const EngineLayer& layer, const std::string& from, const std::string& to) {
      if (is_reformat(layer) && !is_known(from) && from != to) same_as_.try_emplace(from, to);
    };
    for (std::size_t i = 0; i < engine_.layers.size(); ++i) {
      const EngineLayer& layer = engine_.layers[i];
      if (!claims_[i].empty() || layer.inputs.size() != 1 || layer.outputs.size() != 1) continue;
      join(layer, layer.outputs[0], layer.inputs[0]);
      join(layer, layer.inputs[0], layer.outputs[0]);
    }
  }

  const std::string& resolve(const std::string& tensor) const {
    const std::string* name = &tensor;
    // Chains are short; the bound is for files that join a tensor with itself.
    for (int steps = 0; steps < 16 && !is_known(*name); ++steps) {
      const auto joined = same_as_.find(*name);
      if (joined == same_as_.end()) break;
      name = &joined->second;
    }
    return *name;
  }

  bool claimed_by_another(std::size_t node, std::size_t layer) const {
    return !claimants_[node].empty() && !claims_[layer].contains(node);
  }

  /// Where the way back through the model begins: the layer's results, or where it tells none that the model knows,
  /// those of the last nodes it mentions.
  std::vector<std::string_view> results_of(std::size_t layer) const {
    std::vector<std::string_view> results;
    for (const std::string& output : engine_.layers[layer].outputs) {
      const std::string& name = resolve(output);
      if (producer_.contains(name)) results.push_back(name);
    }
    if (!results.empty() || !is_foreign_node(engine_.layers[layer].name)) return results;
    for (const std::size_t node : claims_[layer]) {
      for (const std::string& output : model_.nodes[node].outputs) results.push_back(output);
    }
    return results;
  }

  /// From the layer's results back to its inputs, to tensors of other layers and to what other layers mention.
  void add_between(std::size_t layer, std::set<std::size_t>& nodes) const {
    std::unordered_set<std::string_view> inputs;
    for (const std::string& input : engine_.layers[layer].inputs) inputs.insert(resolve(input));
    std::vector<std::string_view> open = results_of(layer);
    const std::unordered_set<std::string_view> results(open.begin(), open.end());
    std::unordered_set<std::string_view> seen;
    while (!open.empty()) {
      const std::string_view tensor = open.back();
      open.pop_back();
      if (inputs.contains(tensor) || !seen.insert(tensor).second) continue;
      if (engine_tensors_.contains(tensor) && !results.contains(tensor)) continue;
      const auto producer = producer_.find(tensor);
      if (producer == producer_.end()) continue;
      const std::size_t node = producer->second;
      if (constant_[node] || claimed_by_another(node, layer)) continue;
      nodes.insert(node);
      for (const std::string& input : model_.nodes[node].inputs) open.push_back(input);
    }
  }

  LayerCover cover(std::size_t layer) const {
    const EngineLayer& of = engine_.layers[layer];
    LayerCover result;
    result.opaque = of.type == "Myelin" || is_foreign_node(of.name);
    if (is_reformat(of)) result.opaque = false;
    std::set<std::size_t> nodes = claims_[layer];
    if (!is_constant(of) && !of.name.starts_with("Reformatting CopyNode")) add_between(layer, nodes);
    result.nodes.assign(nodes.begin(), nodes.end());
    std::set<std::string> operators;
    for (const std::size_t node : nodes) operators.insert(model_.nodes[node].type);
    result.operators.assign(operators.begin(), operators.end());
    if (nodes.empty()) result.role = role_without_nodes(of);
    return result;
  }

  const TensorRtEngine& engine_;
  const OnnxNodes& model_;
  std::unordered_map<std::string_view, std::size_t> node_of_name_;
  std::unordered_map<std::string_view, std::size_t> producer_;
  std::unordered_set<std::string_view> known_tensors_;  // those without a producer
  std::vector<bool> constant_;
  std::vector<std::set<std::size_t>> claims_;        // by layer
  std::vector<std::vector<std::size_t>> claimants_;  // by node
  std::unordered_map<std::string_view, std::string> same_as_;
  std::unordered_set<std::string_view> engine_tensors_;  // results of layers, by their names in the model
};

}  // namespace

EngineMap map_engine(const TensorRtEngine& engine, const OnnxNodes& model) { return EngineMapper(engine, model).map(); }

RuntimeProgram program_of(const TensorRtEngine& engine, const EngineMap& map,
                          const std::vector<std::vector<NodeId>>& graph_nodes, std::size_t node_count) {
  RuntimeProgram program;
  std::vector<bool> covered(node_count, false);
  for (std::size_t i = 0; i < engine.layers.size(); ++i) {
    const EngineLayer& layer = engine.layers[i];
    const LayerCover& cover = map.layers[i];
    if (is_constant(layer)) continue;
    std::set<NodeId> nodes;
    for (const std::size_t node : cover.nodes) nodes.insert(graph_nodes[node].begin(), graph_nodes[node].end());
    for (const NodeId node : nodes) covered[node] = true;
    RuntimeNode step;
    step.name = layer.name;
    step.type = layer.type.empty() ? "layer" : layer.type;
    step.role = !cover.nodes.empty() && nodes.empty() ? RuntimeRole::kSizes : cover.role;
    step.covers.assign(nodes.begin(), nodes.end());
    step.operators = cover.operators;
    step.opaque = cover.opaque;
    program.nodes.push_back(std::move(step));
  }
  for (NodeId node = 0; node < node_count; ++node) {
    if (!covered[node]) program.folded.push_back(node);
  }
  return program;
}

}  // namespace nongemm::traces
