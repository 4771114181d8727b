#include "microbench/call_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "microbench/operand_nature.h"
#include "microbench/operand_rules.h"
#include "microbench/operand_text.h"
#include "ops/communication.h"
#include "ops/rules.h"

namespace nongemm::microbench {
namespace {

Type type_of(const TensorSpec& spec) {
  Type type = rules::tensor_type(spec.dtype, spec.shape);
  if (layout_of(spec) != "contiguous") type.strides = spec.strides;
  return type;
}

class Maker {
 public:
  explicit Maker(const Call& call) : call_(call) {
    result_.graph.name = call.info.name;
    result_.graph.attributes["dtype"] = name_of(dtype_of(call));
  }

  CallGraph make(int repeat) {
    Node node = make_node();
    for (int i = 0; i < repeat; ++i) {
      add(node);
      if (is_functional_collective(node.op)) add_wait();
    }
    // Runtimes other than torch compute what an output needs and nothing else.
    const Node& last = result_.graph.nodes.back();
    for (std::size_t i = 0; i < last.outputs.size(); ++i) {
      if (result_.graph.values[last.outputs[i]].type.kind != Type::Kind::kTensor) continue;
      result_.graph.outputs.push_back({last.outputs[i], fmt::format("result_{}", i)});
    }
    return std::move(result_);
  }

 private:
  const std::vector<SchemaArg>& args() const { return call_.info.schema.args; }

  ValueId add_value(Type type, NodeId producer) {
    result_.graph.values.push_back(Value{std::move(type), producer});
    return static_cast<ValueId>(result_.graph.values.size() - 1);
  }

  Use add_tensor(const TensorSpec& spec, const std::string& name) {
    const ValueId id = add_value(type_of(spec), kNoId);
    // A parameter with strides of its own is rare, and weights are laid out row by row.
    if (spec.parameter && layout_of(spec) == "contiguous") {
      result_.graph.weights.push_back(Weight{id, name, {}, {}, false});
      result_.parameters.push_back(spec);
    } else {
      result_.graph.inputs.push_back(Input{id, name, {}});
      result_.inputs.push_back(spec);
    }
    return Use{id};
  }

  Argument operand(std::size_t i) {
    const SchemaArg& arg = args()[i];
    const Operand& operand = call_.operands[i];
    if (const auto* spec = std::get_if<TensorSpec>(&operand)) return add_tensor(*spec, arg.name);
    if (const auto* list = std::get_if<TensorList>(&operand)) {
      std::vector<Use> uses;
      for (std::size_t k = 0; k < list->size(); ++k) {
        const auto& element = (*list)[k];
        uses.push_back(element ? add_tensor(*element, fmt::format("{}_{}", arg.name, k)) : Use{});
      }
      return uses;
    }
    return std::get<Argument>(operand);
  }

  Node make_node() {
    Node node;
    node.op = call_.info.name;
    for (std::size_t i = 0; i < args().size(); ++i) {
      Argument value = operand(i);
      if (!accepts(args()[i], value)) {
        throw Error(ErrorKind::kUsage, fmt::format("operator {}: argument '{}' is of the wrong kind\n  {}", node.op,
                                                   args()[i].name, call_.info.schema_text));
      }
      if (call_.info.op == nullptr) {
        // The runtime puts in what is left out.
        const bool left_out = std::holds_alternative<std::monostate>(value) ||
                              (args()[i].has_default && args()[i].default_value == value);
        if (left_out) continue;
        node.arg_names.push_back(args()[i].name);
      }
      node.args.push_back(std::move(value));
    }
    if (call_.info.op == nullptr && node.args.empty()) {
      throw Error(ErrorKind::kUsage, "operator " + node.op + ": no operand is given\n  " + call_.info.schema_text);
    }
    return node;
  }

  std::vector<Type> results_of(const Node& node) {
    if (call_.info.op != nullptr) return infer_types(result_.graph, node, *call_.info.op);
    if (!call_.results.empty()) return call_.results;
    std::vector<Type> types;
    for (const SchemaArg& result : call_.info.schema.results) {
      if (result.kind != ArgKind::kTensor || result.list) {
        throw Error(ErrorKind::kUnsupported,
                    "operator " + node.op + " gives something other than tensors\n  " + call_.info.schema_text);
      }
      types.push_back(rules::tensor_type(dtype_of(call_), {kDynamic}));  // the run tells
    }
    return types;
  }

  void add(Node node) {
    const auto id = static_cast<NodeId>(result_.graph.nodes.size());
    for (Type& type : results_of(node)) node.outputs.push_back(add_value(std::move(type), id));
    result_.graph.nodes.push_back(std::move(node));
    result_.graph.blocks[kBodyBlock].nodes.push_back(id);
  }

  /// A collective is over when its result is there.
  void add_wait() {
    Node node;
    node.op = kWaitForCollective;
    node.args = {Use{result_.graph.nodes.back().outputs[0]}};
    const auto id = static_cast<NodeId>(result_.graph.nodes.size());
    for (Type& type : infer_types(result_.graph, node, OpTable::get().at(node.op))) {
      node.outputs.push_back(add_value(std::move(type), id));
    }
    result_.graph.nodes.push_back(std::move(node));
    result_.graph.blocks[kBodyBlock].nodes.push_back(id);
  }

  const Call& call_;
  CallGraph result_;
};

[[noreturn]] void not_known(const Node& node) {
  throw Error(ErrorKind::kUnsupported, "operator " + node.op + " has an operand that only the run of its model knows");
}

TensorSpec spec_of(const Graph& graph, const Node& node, ValueId id, const std::vector<bool>& is_weight) {
  const Type& type = graph.values[id].type;
  const bool known = std::find(type.shape.begin(), type.shape.end(), kDynamic) == type.shape.end() &&
                     std::find(type.strides.begin(), type.strides.end(), kDynamic) == type.strides.end();
  if (type.kind != Type::Kind::kTensor || !known || type.dtype == DType::kUndefined) not_known(node);
  TensorSpec spec;
  spec.dtype = type.dtype;
  spec.shape = type.shape;
  if (!type.strides.empty() && !is_contiguous(type)) spec.strides = type.strides;
  spec.parameter = is_weight[id];
  return spec;
}

Operand operand_of(const Graph& graph, const Node& node, const Argument& value, const std::vector<bool>& is_weight) {
  if (const auto* use = std::get_if<Use>(&value)) {
    if (use->value == kNoId) return Argument{};
    return spec_of(graph, node, use->value, is_weight);
  }
  if (const auto* uses = std::get_if<std::vector<Use>>(&value)) {
    TensorList list;
    for (const Use& use : *uses) {
      if (use.value == kNoId) {
        list.emplace_back();
      } else {
        list.emplace_back(spec_of(graph, node, use.value, is_weight));
      }
    }
    return list;
  }
  if (const auto* ints = std::get_if<std::vector<Int>>(&value)) {
    if (!std::all_of(ints->begin(), ints->end(), [](const Int& number) { return number.known(); })) not_known(node);
  }
  return value;
}

}  // namespace

CallGraph graph_of(const Call& call, int repeat) { return Maker(call).make(repeat); }

bool is_operator_call(const Node& node) {
  constexpr std::array<std::string_view, 7> kNothing = {"dropout",  "alias", "detach",     "lift_fresh",
                                                        "sym_size", "empty", "wait_tensor"};
  if (!node.blocks.empty() || node.op.starts_with("nongemm.")) return false;
  return std::find(kNothing.begin(), kNothing.end(), base_of(node.op)) == kNothing.end();
}

NodeCalls::NodeCalls(const Graph& graph, const SchemaSource& runtime)
    : graph_(graph), runtime_(runtime), is_weight_(graph.values.size(), false) {
  for (const Weight& weight : graph.weights) is_weight_[weight.value] = true;
}

Call NodeCalls::call_of(const Node& node) const {
  if (!is_operator_call(node)) {
    throw Error(ErrorKind::kUnsupported, node.op + " is no operator that could be called by itself");
  }
  Call call;
  call.info = operator_of_node(node.op, runtime_);
  const std::vector<SchemaArg>& args = call.info.schema.args;
  if (node.arg_names.empty()) {
    for (const Argument& value : node.args) call.operands.push_back(operand_of(graph_, node, value, is_weight_));
  } else {
    call.operands.resize(args.size());
    for (std::size_t i = 0; i < args.size(); ++i) call.operands[i] = args[i].default_value;
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      const int at = call.info.schema.find_arg(node.arg_names[i]);
      if (at < 0) {
        throw Error(ErrorKind::kUnsupported, node.op + " has no argument '" + node.arg_names[i] + "' in this runtime");
      }
      call.operands[static_cast<std::size_t>(at)] = operand_of(graph_, node, node.args[i], is_weight_);
    }
    for (const ValueId id : node.outputs) call.results.push_back(graph_.values[id].type);
  }
  if (call.operands.size() != args.size()) {
    throw Error(ErrorKind::kBadInput, node.op + " has another number of arguments than its schema");
  }
  describe_tensors(call);
  return call;
}

}  // namespace nongemm::microbench
