#include "lowering/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "lowering/graph_lowering.h"
#include "onnx/names.h"
#include "ops/foreign.h"

namespace nongemm::onnx {
namespace {

bool is_output(const std::vector<NodeDef>& nodes, const std::string& name) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const NodeDef& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
}

void rename(std::vector<NodeDef>& nodes, const std::string& from, const std::string& to) {
  for (NodeDef& node : nodes) {
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    std::replace(node.outputs.begin(), node.outputs.end(), from, to);
  }
}

}  // namespace

ValueDef declared(const Graph& graph, const std::string& name, ValueId value) {
  const Type& type = graph.values[value].type;
  return {name, type.dtype, type.shape};
}

GraphLowering::GraphLowering(const Graph& graph, const OnnxOptions& options)
    : graph_(graph),
      options_(options),
      storage_(graph),
      context_{.graph = graph,
               .options = options,
               .constants = constants_,
               .name_of = [this](ValueId value) { return name_of(value); },
               .transposed_weight = [this](ValueId value) { return transposed_weight(value); },
               .new_temporary = [this](NodeId node) { return temporary_name(node, ++temporaries_[node]); },
               .new_node_name = [this](NodeId node) { return node_name(graph_, node, ++node_names_[node]); }},
      states_(graph.values.size()),
      weight_of_(graph.values.size(), Initializer::kNoWeight),
      node_names_(graph.nodes.size(), 0),
      temporaries_(graph.nodes.size(), 0),
      value_names_(graph.values.size(), 0) {}

LoweredModel GraphLowering::lower() {
  result_.model.opset = options_.opset;
  result_.model.graph.name = graph_.name;
  body_ = &result_.model.graph;
  add_ports();
  name_weights_and_constants();
  lower_nodes(kBodyBlock);
  finish_outputs();
  const std::vector<Initializer>& constants = constants_.initializers();
  body_->initializers.insert(body_->initializers.end(), constants.begin(), constants.end());
  prune(*body_);
  localise_constants(*body_);
  prune(*body_);
  return std::move(result_);
}

void GraphLowering::add_ports() {
  for (const Input& input : graph_.inputs) {
    result_.inputs.push_back({input.name, input.value});
    body_->inputs.push_back(declared(graph_, input.name, input.value));
    states_[input.value].name = input.name;
  }
  for (const Output& output : graph_.outputs) {
    result_.outputs.push_back({output.name, output.value});
    body_->outputs.push_back(declared(graph_, output.name, output.value));
  }
}

void GraphLowering::name_weights_and_constants() {
  for (std::size_t i = 0; i < graph_.weights.size(); ++i) {
    const Weight& weight = graph_.weights[i];
    const Type& type = graph_.values[weight.value].type;
    weight_of_[weight.value] = i;
    states_[weight.value].name = weight.name;
    body_->initializers.push_back({.name = weight.name, .dtype = type.dtype, .shape = type.shape, .weight = i});
  }
  for (const Constant& constant : graph_.constants) {
    const std::string name = value_name(graph_, constant.value);
    states_[constant.value].name = name;
    body_->initializers.push_back(
        {.name = name, .dtype = constant.tensor.dtype, .shape = constant.tensor.shape, .data = constant.tensor});
  }
}

GraphLowering::Name GraphLowering::name_of(ValueId value) {
  const ValueId id = storage_.same(value);
  const bool stale = states_[id].version != states_[storage_.base(id)].version;
  if (stale) add_operator(graph_.values[id].producer);
  return states_[id].name;
}

GraphLowering::Name GraphLowering::transposed_weight(ValueId value) {
  const std::size_t weight = weight_of_.at(value);
  if (weight == Initializer::kNoWeight || states_[value].version != 0) return {};
  const Type& type = graph_.values[value].type;
  if (type.shape.size() != 2) return {};
  const std::string name = graph_.weights[weight].name + ".transposed";
  std::vector<Initializer>& known = result_.model.graph.initializers;
  const auto same_name = [&](const Initializer& initializer) { return initializer.name == name; };
  if (std::none_of(known.begin(), known.end(), same_name)) {
    known.push_back({.name = name,
                     .dtype = type.dtype,
                     .shape = {type.shape[1], type.shape[0]},
                     .weight = weight,
                     .transposed = true});
  }
  return name;
}

GraphLowering::Name GraphLowering::new_value_name(ValueId value) {
  const std::string name = value_name(graph_, value);
  const int count = ++value_names_[value];
  return count == 1 ? name : fmt::format("{}_{}", name, count);
}

void GraphLowering::set_name(ValueId value, Name name) {
  states_[value] = {std::move(name), states_[storage_.base(value)].version};
}

void GraphLowering::lower_nodes(BlockId block) {
  for (const NodeId id : graph_.blocks[block].nodes) lower_node(id);
}

void GraphLowering::lower_node(NodeId id) {
  const Node& node = graph_.nodes[id];
  if (is_optional_slice(graph_, node)) {
    lower_nodes(node.blocks[0]);
  } else if (node.op == "nongemm.if.default") {
    lower_if(id);
  } else if (node.op == "nongemm.foreach.default") {
    lower_foreach(id);
  } else {
    add_operator(id);
  }
}

void GraphLowering::add_operator(NodeId id) {
  const Node& node = graph_.nodes[id];
  const Op* known = table_entry(node);
  if (known == nullptr) {
    const std::string scope = graph_.scope_path(node.scope);
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{}{}{} is not in the operator table and has no lowering to ONNX", node.op,
                            scope.empty() ? "" : " in ", scope),
                "the torch flow runs it");
  }
  const Op& op = *known;
  OnnxLowering rule(context_, id, op);
  // ONNX has types of complex numbers, and no operator that computes with them.
  if (has_complex(graph_, node)) rule.unsupported("complex numbers", "the torch flow runs it");
  if (op.entry.lower == nullptr) rule.unsupported("it has no lowering");
  op.entry.lower(rule);
  take(rule, node);
}

void GraphLowering::take(OnnxLowering& rule, const Node& node) {
  const ValueId target = written_operand(graph_, node);
  if (target == kNoId && rule.results().size() != node.outputs.size()) {
    rule.unsupported(fmt::format("its rule gives {} results, not {}", rule.results().size(), node.outputs.size()));
  }
  std::vector<NodeDef> nodes = std::move(rule.nodes());
  std::vector<Name> names = rule.results();
  for (std::size_t i = 0; i < node.outputs.size() && target == kNoId; ++i) {
    const Name computed = names[i];
    if (is_output(nodes, computed) && std::count(names.begin(), names.end(), computed) == 1) {
      names[i] = new_value_name(node.outputs[i]);
      rename(nodes, computed, names[i]);
    }
    set_name(node.outputs[i], names[i]);
  }
  std::move(nodes.begin(), nodes.end(), std::back_inserter(body_->nodes));
  if (target != kNoId) write(static_cast<NodeId>(&node - graph_.nodes.data()), target, names.at(0));
}

void GraphLowering::write(NodeId writer, ValueId target, Name name) {
  const ValueId base = storage_.base(target);
  const ValueId view = storage_.same(target);
  Name replacement = name;
  for (ValueId value = view; value != base; value = storage_.viewed(value)) {
    const NodeId producer = graph_.values[value].producer;
    const Op& op = OpTable::get().at(graph_.nodes[producer].op);
    OnnxLowering rule(context_, producer, op, writer);
    if (op.entry.lower_write == nullptr) rule.unsupported("something writes through this view");
    rule.set_replacement(std::move(replacement));
    op.entry.lower_write(rule);
    replacement = rule.results().at(0);
    std::move(rule.nodes().begin(), rule.nodes().end(), std::back_inserter(body_->nodes));
  }
  new_version(base, std::move(replacement));
  if (view != base) set_name(view, std::move(name));
}

void GraphLowering::new_version(ValueId base, Name name) {
  states_[base].name = std::move(name);
  ++states_[base].version;
}

void GraphLowering::finish_outputs() {
  std::set<Name> taken;
  for (const ValueDef& input : body_->inputs) taken.insert(input.name);
  for (const Initializer& initializer : body_->initializers) taken.insert(initializer.name);
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const ValueId value = graph_.outputs[i].value;
    Name wanted = graph_.outputs[i].name;
    while (!taken.insert(wanted).second) wanted += "_output";
    const Name computed = name_of(value);
    if (is_output(body_->nodes, computed) && !taken.contains(computed)) {
      rename_everywhere(*body_, computed, wanted);
      for (State& state : states_) {
        if (state.name == computed) state.name = wanted;
      }
    } else {  // an input, a constant, or given out before under another name
      const NodeId producer = graph_.values[value].producer;
      const Name node = producer == kNoId ? "output/" + wanted : context_.new_node_name(producer);
      body_->nodes.push_back({"Identity", node, {computed}, {wanted}, {}});
    }
    body_->outputs[i].name = wanted;
    result_.outputs[i].name = wanted;
  }
}

std::vector<std::string> operators_without_lowering(const Graph& graph) {
  std::set<std::string> missing;
  for (const Node& node : graph.nodes) {
    const Op* op = table_entry(node);
    if (node.blocks.empty() && (op == nullptr || op->entry.lower == nullptr)) missing.insert(node.op);
  }
  return {missing.begin(), missing.end()};
}

LoweredModel lower_to_onnx(const Graph& graph, const OnnxOptions& options) {
  if (options.opset < OnnxOptions::kOldestOpset || options.opset > OnnxOptions::kNewestOpset) {
    throw Error(ErrorKind::kUsage, fmt::format("opset {} is not offered", options.opset),
                fmt::format("choose one from {} to {}", OnnxOptions::kOldestOpset, OnnxOptions::kNewestOpset));
  }
  return GraphLowering(graph, options).lower();
}

}  // namespace nongemm::onnx
