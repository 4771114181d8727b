// A graph made ready for LibTorch's dispatcher: operators looked up, constant arguments built, lifetimes known, so that
// a run does nothing per node but fill in tensors and call.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <vector>

#include "flows/trace.h"
#include "graph/graph.h"

namespace nongemm::torch_flow {

using Slot = std::uint32_t;  // one per value of the graph

/// Puts run-time values into an argument.
struct Patch {
  enum class Kind : std::uint8_t { kValue, kTensorList, kOptionalTensorList, kIntList };
  Kind kind = Kind::kValue;
  std::uint32_t position = 0;
  Slot slot = kNoId;         // kValue
  std::vector<Slot> slots;   // lists; kNoId for an absent element
  std::vector<Int> integers; // kIntList
};

struct Instruction {
  c10::OperatorHandle op;
  NodeId node = kNoId;
  std::vector<c10::IValue> arguments;
  std::vector<Patch> patches;
  std::vector<Slot> outputs;
  bool list_result = false;
  /// Values whose last use this is.
  std::vector<Slot> dead;
};

class Program {
 public:
  /// Throws Error(kUnsupported) naming every operator that the dispatcher does not have.
  Program(const Graph& graph, c10::Device device);

  const std::vector<Instruction>& instructions() const { return instructions_; }

  /// Runs all instructions on `slots`. Watch is called as watch.before(instruction) and watch.after(instruction, results).
  /// Errors of an operator become Error(kFailed) or Error(kOutOfMemory) naming it, its operands and its module.
  template <typename Watch>
  void run(std::vector<c10::IValue>& slots, Watch&& watch) const;

 private:
  void fill(const Instruction& instruction, const std::vector<c10::IValue>& slots, std::vector<c10::IValue>& stack) const;
  void take_results(const Instruction& instruction, std::vector<c10::IValue>& stack,
                    std::vector<c10::IValue>& slots) const;
  [[noreturn]] void fail(const Instruction& instruction, const std::vector<c10::IValue>& slots) const;

  const Graph& graph_;
  std::vector<Instruction> instructions_;
};

template <typename Watch>
void Program::run(std::vector<c10::IValue>& slots, Watch&& watch) const {
  std::vector<c10::IValue> stack;
  stack.reserve(16);
  for (const Instruction& instruction : instructions_) {
    stack.clear();
    try {
      fill(instruction, slots, stack);
      watch.before(instruction);
      instruction.op.callBoxed(stack);
      watch.after(instruction, stack);
      take_results(instruction, stack, slots);
    } catch (...) {
      fail(instruction, slots);
    }
    for (const Slot slot : instruction.dead) slots[slot] = c10::IValue();
  }
}

}  // namespace nongemm::torch_flow
