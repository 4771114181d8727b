#include "flows/torch/program.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <set>

#include "base/error.h"
#include "flows/torch/values.h"
#include "ops/op.h"

namespace nongemm::torch_flow {
namespace {

std::vector<Patch> patches_of(const Node& node, const Schema& schema) {
  std::vector<Patch> patches;
  for (std::uint32_t i = 0; i < node.args.size(); ++i) {
    Patch patch;
    patch.position = i;
    if (const auto* use = std::get_if<Use>(&node.args[i])) {
      patch.slot = use->value;
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

/// For each instruction the values that no later one uses and that are not outputs.
void find_last_uses(const Graph& graph, std::vector<Instruction>& instructions) {
  std::vector<bool> alive(graph.values.size(), false);
  for (const Output& output : graph.outputs) alive[output.value] = true;
  // Inputs, weights and constants live as long as the session.
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].producer == kNoId) alive[i] = true;
  }
  for (std::size_t i = instructions.size(); i-- > 0;) {
    Instruction& instruction = instructions[i];
    const auto visit = [&](ValueId id) {
      if (!alive[id]) {
        alive[id] = true;
        instruction.dead.push_back(id);
      }
    };
    for (const ValueId id : graph.nodes[instruction.node].outputs) visit(id);  // results that nobody reads
    for (const Argument& argument : graph.nodes[instruction.node].args) for_each_use(argument, visit);
  }
}

}  // namespace

Program::Program(const Graph& graph, c10::Device device) : graph_(graph) {
  std::set<std::string> unknown;
  for (const NodeId id : graph.blocks[kBodyBlock].nodes) {
    const Node& node = graph.nodes[id];
    const Schema& schema = OpTable::get().at(node.op).schema;
    const auto handle = c10::Dispatcher::singleton().findSchema({schema.name, schema.overload});
    if (!handle) {
      unknown.insert(node.op);
      continue;
    }
    Instruction instruction{.op = *handle, .node = id, .arguments = {}, .patches = patches_of(node, schema),
                            .outputs = node.outputs, .dead = {}};
    instruction.list_result = schema.results.size() == 1 && schema.results[0].list;
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      instruction.arguments.push_back(constant_argument(node.args[i], schema.args[i], device));
    }
    instructions_.push_back(std::move(instruction));
  }
  if (!unknown.empty()) {
    std::string names;
    for (const std::string& name : unknown) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::kUnsupported, "this LibTorch has no operator " + names);
  }
  find_last_uses(graph, instructions_);
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
      case Patch::Kind::kTensorList: {
        c10::List<at::Tensor> list;
        list.reserve(patch.slots.size());
        for (const Slot slot : patch.slots) list.push_back(slots[slot].toTensor());
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
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorKind::kOutOfMemory, what + ": " + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool no_memory = message.find("can't allocate memory") != std::string::npos;
    throw Error(no_memory ? ErrorKind::kOutOfMemory : ErrorKind::kFailed, what + ": " + message);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kOutOfMemory, what + ": no host memory left");
  } catch (const Error& error) {
    throw Error(error.kind(), what + ": " + error.what());
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kFailed, what + ": " + error.what());
  }
}

}  // namespace nongemm::torch_flow
