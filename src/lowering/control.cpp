// Branches and loops: the blocks of control nodes as subgraphs. What a block writes to from outside, it gives back as
// further results.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lowering/graph_lowering.h"
#include "onnx/names.h"

namespace nongemm::onnx {
namespace {

std::vector<ValueId> joined(std::vector<ValueId> first, const std::vector<ValueId>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

/// Names given inside a subgraph mean nothing outside: they are put back when it is closed.
struct GraphLowering::Subgraph {
  std::shared_ptr<GraphDef> graph;
  GraphDef* outer = nullptr;
  std::vector<State> outer_states;
};

GraphLowering::Subgraph GraphLowering::open_subgraph(NodeId id) {
  Subgraph opened{std::make_shared<GraphDef>(), body_, states_};
  opened.graph->name = context_.new_node_name(id);
  body_ = opened.graph.get();
  return opened;
}

std::shared_ptr<GraphDef> GraphLowering::close_subgraph(NodeId id, Subgraph opened,
                                                        const std::vector<ValueId>& values) {
  // A result must be computed inside, and no two results may be the same.
  for (const ValueId value : values) {
    const Name name = context_.new_temporary(id);
    body_->nodes.push_back({"Identity", context_.new_node_name(id), {name_of(value)}, {name}, {}});
    body_->outputs.push_back(declared(graph_, name, value));
  }
  body_ = opened.outer;
  states_ = std::move(opened.outer_states);
  return opened.graph;
}

void GraphLowering::lower_if(NodeId id) {
  const Node& node = graph_.nodes[id];
  const std::vector<ValueId> written = storage_.written_from_outside(node.blocks);
  NodeDef def{"If", context_.new_node_name(id), {name_of(std::get<Use>(node.args.at(0)).value)}, {}, {}};
  for (std::size_t i = 0; i < 2; ++i) {
    Subgraph opened = open_subgraph(id);
    lower_nodes(node.blocks[i]);
    const std::vector<ValueId> results = joined(graph_.blocks[node.blocks[i]].results, written);
    def.attributes.push_back({i == 0 ? "then_branch" : "else_branch", close_subgraph(id, std::move(opened), results)});
  }
  // Both branches declare what holds for either: shapes in which they differ are unknown.
  const auto then_graph = std::get<std::shared_ptr<GraphDef>>(def.attributes[0].value);
  const auto else_graph = std::get<std::shared_ptr<GraphDef>>(def.attributes[1].value);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const Type& type = graph_.values[node.outputs[i]].type;
    then_graph->outputs[i].shape = else_graph->outputs[i].shape = type.shape;
  }
  add_results(std::move(def), node.outputs, written);
}

void GraphLowering::lower_foreach(NodeId id) {
  const Node& node = graph_.nodes[id];
  const Block& block = graph_.blocks[node.blocks.at(0)];
  const std::vector<ValueId> written = storage_.written_from_outside(node.blocks);
  std::vector<Name> lists;
  for (const Use& list : std::get<std::vector<Use>>(node.args.at(0))) lists.push_back(name_of(list.value));

  // The lists are tensors with the elements along the first dimension.
  OnnxLowering rule(context_, id, OpTable::get().at(node.op));
  const Name count = rule.pick(rule.shape_of(lists.at(0)), 0);
  std::move(rule.nodes().begin(), rule.nodes().end(), std::back_inserter(body_->nodes));

  NodeDef def{"Loop", context_.new_node_name(id), {count, ""}, {}, {}};
  for (const ValueId value : written) def.inputs.push_back(name_of(value));

  Subgraph opened = open_subgraph(id);
  const Name step = context_.new_temporary(id);
  const Name go_on = context_.new_temporary(id);
  const Name still = context_.new_temporary(id);
  body_->inputs = {{step, DType::kInt64, {}}, {go_on, DType::kBool, {}}};
  for (const ValueId value : written) {
    const Name carried = context_.new_temporary(id);
    body_->inputs.push_back(declared(graph_, carried, value));
    new_version(value, carried);
  }
  body_->nodes.push_back({"Identity", context_.new_node_name(id), {go_on}, {still}, {}});
  body_->outputs.push_back({still, DType::kBool, {}});
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const Name element = context_.new_temporary(id);
    const std::vector<Attribute> axis = {{"axis", std::int64_t{0}}};
    body_->nodes.push_back({"Gather", context_.new_node_name(id), {lists[i], step}, {element}, axis});
    states_[block.parameters[i]].name = element;
  }
  lower_nodes(node.blocks[0]);
  def.attributes.push_back({"body", close_subgraph(id, std::move(opened), joined(written, block.results))});
  add_results(std::move(def), node.outputs, written, /*written_first=*/true);
}

void GraphLowering::add_results(NodeDef def, const std::vector<ValueId>& outputs, const std::vector<ValueId>& written,
                                bool written_first) {
  std::vector<Name> versions;
  for (const ValueId value : written) versions.push_back(new_value_name(value));
  if (written_first) def.outputs = versions;
  for (const ValueId output : outputs) {
    set_name(output, new_value_name(output));
    def.outputs.push_back(states_[output].name);
  }
  if (!written_first) def.outputs.insert(def.outputs.end(), versions.begin(), versions.end());
  for (std::size_t i = 0; i < written.size(); ++i) new_version(written[i], versions[i]);
  body_->nodes.push_back(std::move(def));
}

}  // namespace nongemm::onnx
