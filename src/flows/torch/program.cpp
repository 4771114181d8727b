#include "flows/torch/program.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/foreign.h"
#include "graph/state.h"
#include "ops/foreign.h"

namespace nongemm::torch_flow {
namespace {

/// How one value becomes an argument: numbers that a run computes stand where the schema has a tensor or a float, too.
Patch::Kind kind_for(const Type& type, const SchemaArg& schema) {
  const bool is_number =
      type.kind == Type::Kind::kInt || type.kind == Type::Kind::kFloat || type.kind == Type::Kind::kBool;
  if (is_number && schema.kind == ArgKind::kTensor) return Patch::Kind::kNumberAsTensor;
  if (type.kind == Type::Kind::kInt && schema.kind == ArgKind::kFloat) return Patch::Kind::kIntAsFloat;
  return Patch::Kind::kValue;
}

std::vector<Patch> patches_of(const Graph& graph, const Node& node, const Schema& schema) {
  std::vector<Patch> patches;
  for (std::uint32_t i = 0; i < node.args.size(); ++i) {
    Patch patch;
    patch.position = i;
    if (const auto* use = std::get_if<Use>(&node.args[i])) {
      patch.slot = use->value;
      if (use->value != kNoId) patch.kind = kind_for(graph.values[use->value].type, schema.args[i]);
    } else if (const auto* uses = std::get_if<std::vector<Use>>(&node.args[i])) {
      patch.kind = schema.args[i].optional_element ? Patch::Kind::kOptionalTensorList : Patch::Kind::kTensorList;
      for (const Use& element : *uses) patch.slots.push_back(element.value);
    } else if (const auto* ints = std::get_if<std::vector<Int>>(&node.args[i])) {
      const bool all_known = std::all_of(ints->begin(), ints->end(), [](const Int& v) { return v.known(); });
      if (all_known) continue;
      patch.kind = Patch::Kind::kIntList;
      patch.integers = *ints;
    } else {
      continue;
    }
    patches.push_back(std::move(patch));
  }
  return patches;
}

/// Calls `visit` for all values that a node uses, those inside its blocks included.
template <typename Visit>
void for_each_use_deep(const Graph& graph, const Node& node, Visit&& visit) {
  for (const Argument& argument : node.args) for_each_use(argument, visit);
  for (const BlockId block : node.blocks) {
    for (const NodeId id : graph.blocks[block].nodes) for_each_use_deep(graph, graph.nodes[id], visit);
    for (const ValueId id : graph.blocks[block].results) visit(id);
  }
}

/// Whoever wants a state for longer than its last use keeps it.
std::vector<ValueId> state_inputs(const Graph& graph) {
  std::vector<ValueId> values;
  for (const State& state : states_of(graph)) {
    if (state.input != kNoId) values.push_back(graph.inputs[state.input].value);
  }
  return values;
}

/// For each instruction of a block the values that the block computes and that nothing later in it uses.
/// @param given values from outside that end with their last use, too
void find_last_uses(const Graph& graph, Code& code, const std::vector<ValueId>& results,
                    const std::vector<ValueId>& given) {
  std::vector<bool> mortal(graph.values.size(), false);
  for (const ValueId id : given) mortal[id] = true;
  for (const Instruction& instruction : code.instructions) {
    for (const ValueId id : instruction.outputs) mortal[id] = true;
  }
  for (const ValueId id : results) {
    if (mortal[id] && std::find(code.own.begin(), code.own.end(), id) == code.own.end()) code.own.push_back(id);
    mortal[id] = false;
  }
  for (std::size_t i = code.instructions.size(); i-- > 0;) {
    Instruction& instruction = code.instructions[i];
    const auto visit = [&](ValueId id) {
      if (!mortal[id]) return;
      mortal[id] = false;
      instruction.dead.push_back(id);
    };
    for (const ValueId id : instruction.outputs) visit(id);  // results that nobody reads
    for_each_use_deep(graph, graph.nodes[instruction.node], visit);
  }
}

/// Makes a graph's blocks ready; collects the names of operators that the dispatcher does not have.
class Compiler {
 public:
  Compiler(const Graph& graph, c10::Device device) : graph_(graph), device_(device) {}

  Code compile(const Block& block, const std::vector<ValueId>& results, const std::vector<ValueId>& given = {}) {
    Code code;
    for (const NodeId id : block.nodes) {
      std::optional<Instruction> instruction = compile(id);
      if (instruction) code.instructions.push_back(std::move(*instruction));
    }
    code.parameters = block.parameters;
    code.results = results;
    code.own = block.parameters;
    find_last_uses(graph_, code, results, given);
    return code;
  }

  const std::set<std::string>& unknown() const { return unknown_; }

 private:
  std::optional<Instruction> compile(NodeId id) {
    const Node& node = graph_.nodes[id];
    const Op* known = table_entry(node);
    if (known == nullptr) return compile_foreign(id);
    const Schema& schema = known->schema;
    Instruction instruction;
    instruction.node = id;
    instruction.outputs = node.outputs;
    if (!node.blocks.empty()) {
      const bool loop = node.op == "nongemm.foreach.default";
      instruction.kind = loop ? Instruction::Kind::kForeach : Instruction::Kind::kIf;
      for_each_use(node.args.at(0), [&](ValueId value) { instruction.operands.push_back(value); });
      for (const BlockId block : node.blocks) {
        instruction.blocks.push_back(compile(graph_.blocks[block], graph_.blocks[block].results));
      }
      return instruction;
    }
    instruction.op = c10::Dispatcher::singleton().findSchema({schema.name, schema.overload});
    if (!instruction.op) {
      unknown_.insert(node.op);
      return std::nullopt;
    }
    instruction.patches = patches_of(graph_, node, schema);
    const bool whole_list =
        node.outputs.size() == 1 && graph_.values[node.outputs[0]].type.kind == Type::Kind::kTensorList;
    instruction.list_result = schema.results.size() == 1 && schema.results[0].list && !whole_list;
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      instruction.arguments.push_back(constant_argument(node.args[i], schema.args[i], device_));
    }
    return instruction;
  }

  /// An operator that the table does not know: the dispatcher's schema says where its arguments go.
  std::optional<Instruction> compile_foreign(NodeId id) {
    const Node& node = graph_.nodes[id];
    const std::optional<c10::OperatorHandle> op = find_foreign(node.op);
    if (!op) {
      unknown_.insert(node.op);
      return std::nullopt;
    }
    const ForeignCall call = arrange_foreign(graph_, node, *op, device_);
    Instruction instruction;
    instruction.op = op;
    instruction.node = id;
    instruction.outputs = node.outputs;
    instruction.patches = patches_of(graph_, call.node, call.schema);
    instruction.list_result = call.schema.results.size() == 1 && call.schema.results[0].list;
    for (std::size_t i = 0; i < call.node.args.size(); ++i) {
      const bool left_out = call.defaults[i].has_value();
      instruction.arguments.push_back(left_out ? *call.defaults[i]
                                               : constant_argument(call.node.args[i], call.schema.args[i], device_));
    }
    return instruction;
  }

  const Graph& graph_;
  c10::Device device_;
  std::set<std::string> unknown_;
};

}  // namespace

Program::Program(const Graph& graph, c10::Device device) : graph_(graph), device_(device) {
  std::vector<ValueId> outputs;
  for (const Output& output : graph.outputs) outputs.push_back(output.value);
  Compiler compiler(graph, device);
  body_ = compiler.compile(graph.blocks[kBodyBlock], outputs, state_inputs(graph));
  if (!compiler.unknown().empty()) {
    std::string names;
    bool of_onnx = false;
    bool compiled = false;
    for (const std::string& name : compiler.unknown()) {
      names += (names.empty() ? "" : ", ") + name;
      of_onnx = of_onnx || name.starts_with("onnx.");
      compiled = compiled || name.starts_with("aotinductor.");
    }
    if (of_onnx) {
      throw Error(ErrorKind::kUnsupported, "PyTorch's operators do not include " + names,
                  "the ort flow takes the file as it is");
    }
    if (compiled) {
      throw Error(ErrorKind::kUnsupported, "a compiled package has no operators for PyTorch to call",
                  "run it as it is: --flow inductor");
    }
    throw Error(ErrorKind::kUnsupported, "this LibTorch has no operator " + names,
                "an operator of a library of your own: give the library with --load-library");
  }
}

void Program::change_argument(NodeId node, std::uint32_t position, const Argument& value) {
  if (at_.empty()) {
    at_.assign(graph_.nodes.size(), kNoId);
    for (std::uint32_t i = 0; i < body_.instructions.size(); ++i) at_[body_.instructions[i].node] = i;
  }
  const Op* known = table_entry(graph_.nodes.at(node));
  if (at_[node] == kNoId || known == nullptr) {
    throw Error(ErrorKind::kUnsupported, "an argument of " + graph_.nodes[node].op + " cannot be changed");
  }
  body_.instructions[at_[node]].arguments.at(position) =
      constant_argument(value, known->schema.args.at(position), device_);
}

std::vector<c10::List<at::Tensor>> Program::lists_of(const Instruction& instruction,
                                                     const std::vector<c10::IValue>& slots) const {
  std::vector<c10::List<at::Tensor>> lists;
  for (const Slot slot : instruction.operands) lists.push_back(slots[slot].toTensorList());
  for (const c10::List<at::Tensor>& list : lists) {
    if (list.size() != lists[0].size()) {
      throw Error(ErrorKind::kFailed, "a loop over lists of " + std::to_string(lists[0].size()) + " and " +
                                          std::to_string(list.size()) + " elements in " +
                                          graph_.scope_path(graph_.nodes[instruction.node].scope));
    }
  }
  return lists;
}

void Program::fill(const Instruction& instruction, const std::vector<c10::IValue>& slots,
                   std::vector<c10::IValue>& stack) const {
  stack.insert(stack.end(), instruction.arguments.begin(), instruction.arguments.end());
  for (const Patch& patch : instruction.patches) {
    c10::IValue& argument = stack[patch.position];
    switch (patch.kind) {
      case Patch::Kind::kValue:
        argument = slots[patch.slot];
        break;
      case Patch::Kind::kNumberAsTensor:
        argument = wrapped_number(slots[patch.slot].toScalar());
        break;
      case Patch::Kind::kIntAsFloat:
        argument = static_cast<double>(slots[patch.slot].toInt());
        break;
      case Patch::Kind::kTensorList: {
        c10::List<at::Tensor> list;
        list.reserve(patch.slots.size());
        for (const Slot slot : patch.slots) {
          if (slots[slot].isTensor()) {
            list.push_back(slots[slot].toTensor());
          } else {  // a list whose length only the run knows
            list.append(slots[slot].toTensorList());
          }
        }
        argument = std::move(list);
        break;
      }
      case Patch::Kind::kOptionalTensorList: {
        c10::List<std::optional<at::Tensor>> list;
        for (const Slot slot : patch.slots) {
          list.push_back(slot == kNoId ? std::optional<at::Tensor>() : slots[slot].toTensor());
        }
        argument = std::move(list);
        break;
      }
      case Patch::Kind::kIntList: {
        c10::List<std::int64_t> list;
        for (const Int& value : patch.integers) list.push_back(value.known() ? value.value : slots[value.ref].toInt());
        argument = std::move(list);
        break;
      }
    }
  }
}

void Program::take_results(const Instruction& instruction, std::vector<c10::IValue>& stack,
                           std::vector<c10::IValue>& slots) const {
  if (!instruction.list_result) {
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i) slots[instruction.outputs[i]] = std::move(stack[i]);
    return;
  }
  const c10::List<at::Tensor> list = std::move(stack[0]).toTensorList();
  if (list.size() != instruction.outputs.size()) {
    throw Error(ErrorKind::kFailed, "gave " + std::to_string(list.size()) + " tensors, the graph expects " +
                                        std::to_string(instruction.outputs.size()));
  }
  for (std::size_t i = 0; i < list.size(); ++i) slots[instruction.outputs[i]] = list.get(i);
}

void Program::fail(const Instruction& instruction, const std::vector<c10::IValue>& slots) const {
  const Node& node = graph_.nodes[instruction.node];
  std::string what = node.op + "(";
  bool first = true;
  for (const Argument& argument : node.args) {
    for_each_use(argument, [&](ValueId id) {
      what += (first ? "" : ", ") + to_string(type_of(slots[id]).shape);
      first = false;
    });
  }
  what += ")";
  if (const std::string scope = graph_.scope_path(node.scope); !scope.empty()) what += " in " + scope;
  rethrow_as_error(what);
}

}  // namespace nongemm::torch_flow
