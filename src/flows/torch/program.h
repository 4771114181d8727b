// A graph made ready for LibTorch's dispatcher: operators looked up, constant arguments built, lifetimes known, so that
// a run does nothing per node but fill in tensors and call.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.h"
#include "record/trace.h"

namespace nongemm::torch_flow {

using Slot = std::uint32_t;  // one per value of the graph

/// Puts run-time values into an argument.
struct Patch {
  enum class Kind : std::uint8_t { kValue, kNumberAsTensor, kIntAsFloat, kTensorList, kOptionalTensorList, kIntList };
  Kind kind = Kind::kValue;
  std::uint32_t position = 0;
  Slot slot = kNoId;          // a single value
  std::vector<Slot> slots;    // lists; kNoId for an absent element
  std::vector<Int> integers;  // kIntList
};

struct Code;

struct Instruction {
  enum class Kind : std::uint8_t { kCall, kIf, kForeach };

  Kind kind = Kind::kCall;
  std::optional<c10::OperatorHandle> op;  // kCall
  NodeId node = kNoId;
  std::vector<c10::IValue> arguments;
  std::vector<Patch> patches;
  std::vector<Slot> outputs;
  /// The operator gives one list whose elements are the outputs.
  bool list_result = false;
  /// Values whose last use this is.
  std::vector<Slot> dead;
  /// Control: the condition, or the lists.
  std::vector<Slot> operands;
  std::vector<Code> blocks;
};

/// A block of the graph.
struct Code {
  std::vector<Instruction> instructions;
  std::vector<Slot> parameters;
  std::vector<Slot> results;
  /// Values that end with the block: its parameters, and those of its results that it computes itself.
  std::vector<Slot> own;
};

class Program {
 public:
  /// Throws Error(kUnsupported) naming every operator that the dispatcher does not have.
  Program(const Graph& graph, c10::Device device);

  /// Another known argument for a node of the graph's body.
  void change_argument(NodeId node, std::uint32_t position, const Argument& value);

  const std::vector<Instruction>& instructions() const { return body_.instructions; }

  /// Runs all instructions on `slots`. Watch is called as watch.before(instruction) and watch.after(instruction,
  /// results) for operators, and, where it has that, as watch.released(instruction) once the values that died are
  /// freed; control nodes are not watched, the operators in their blocks are, each time that they run. Errors of an
  /// operator become Error(kFailed) or Error(kOutOfMemory) naming it, its operands and its module.
  template <typename Watch>
  void run(std::vector<c10::IValue>& slots, Watch&& watch) const {
    std::vector<c10::IValue> stack;
    run(slots, stack, watch);
  }

  /// The same with the caller's stack, which holds the operator's arguments when Watch::before is called.
  template <typename Watch>
  void run(std::vector<c10::IValue>& slots, std::vector<c10::IValue>& stack, Watch&& watch) const {
    stack.reserve(16);
    run_block(body_, slots, stack, watch);
  }

 private:
  template <typename Watch>
  void run_block(const Code& code, std::vector<c10::IValue>& slots, std::vector<c10::IValue>& stack,
                 Watch& watch) const;
  template <typename Watch>
  void run_control(const Instruction& instruction, std::vector<c10::IValue>& slots, std::vector<c10::IValue>& stack,
                   Watch& watch) const;
  void fill(const Instruction& instruction, const std::vector<c10::IValue>& slots,
            std::vector<c10::IValue>& stack) const;
  void take_results(const Instruction& instruction, std::vector<c10::IValue>& stack,
                    std::vector<c10::IValue>& slots) const;
  /// The lists a loop walks; throws when their lengths differ.
  std::vector<c10::List<at::Tensor>> lists_of(const Instruction& instruction,
                                              const std::vector<c10::IValue>& slots) const;
  [[noreturn]] void fail(const Instruction& instruction, const std::vector<c10::IValue>& slots) const;

  const Graph& graph_;
  c10::Device device_;
  Code body_;
  std::vector<std::uint32_t> at_;  // by node: its place in the body; made when an argument is changed
};

template <typename Watch>
void Program::run_block(const Code& code, std::vector<c10::IValue>& slots, std::vector<c10::IValue>& stack,
                        Watch& watch) const {
  for (const Instruction& instruction : code.instructions) {
    if (instruction.kind == Instruction::Kind::kCall) [[likely]] {
      stack.clear();
      try {
        fill(instruction, slots, stack);
        watch.before(instruction);
        instruction.op->callBoxed(stack);
        watch.after(instruction, stack);
        take_results(instruction, stack, slots);
      } catch (...) {
        fail(instruction, slots);
      }
    } else {
      run_control(instruction, slots, stack, watch);
    }
    for (const Slot slot : instruction.dead) slots[slot] = c10::IValue();
    if constexpr (requires { watch.released(instruction); }) {
      if (instruction.kind == Instruction::Kind::kCall) watch.released(instruction);
    }
  }
}

template <typename Watch>
void Program::run_control(const Instruction& instruction, std::vector<c10::IValue>& slots,
                          std::vector<c10::IValue>& stack, Watch& watch) const {
  if (instruction.kind == Instruction::Kind::kIf) {
    const Code& taken = instruction.blocks[slots[instruction.operands[0]].toBool() ? 0 : 1];
    run_block(taken, slots, stack, watch);
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i)
      slots[instruction.outputs[i]] = slots[taken.results[i]];
    for (const Slot slot : taken.own) slots[slot] = c10::IValue();
    return;
  }
  const Code& body = instruction.blocks[0];
  const std::vector<c10::List<at::Tensor>> lists = lists_of(instruction, slots);
  std::vector<c10::List<at::Tensor>> results(instruction.outputs.size());
  const std::size_t count = lists.empty() ? 0 : lists[0].size();
  for (std::size_t element = 0; element < count; ++element) {
    for (std::size_t i = 0; i < lists.size(); ++i) slots[body.parameters[i]] = lists[i].get(element);
    run_block(body, slots, stack, watch);
    for (std::size_t i = 0; i < results.size(); ++i) results[i].push_back(slots[body.results[i]].toTensor());
    for (const Slot slot : body.own) slots[slot] = c10::IValue();
  }
  for (std::size_t i = 0; i < results.size(); ++i) slots[instruction.outputs[i]] = std::move(results[i]);
}

}  // namespace nongemm::torch_flow
