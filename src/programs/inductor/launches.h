// What was observed of a compiled model's inference, brought together with its steps. Plain logic on names and order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/runtime_program.h"
#include "record/trace.h"

namespace nongemm::inductor {

class CompiledProgram {
 public:
  /// @param announced steps in the order in which the package says that it launches them; none without provenance
  explicit CompiledProgram(RuntimeProgram announced)
      : program_(std::move(announced)), announced_(program_.nodes.size()) {}

  const RuntimeProgram& steps() const { return program_; }

  /// The step of each of a device's activities, given in the order of their launch; kNoId for what belongs to none.
  /// Compiled kernels are found by name. What a library launches between two of them belongs to the calls that stand
  /// there: as many activities to each where that comes out even; else kernels that only finish another's work (split-K
  /// reductions), copies and fills go with the one before.
  /// @param kernels names as the device's tool prints them; empty for copies and fills
  std::vector<NodeId> steps_of_launches(const std::vector<std::string_view>& kernels) const;

  /// The step of each call that a host made, in their order.
  /// @param calls names of RecordFunction: "graph_0_cpp_fused_add_1", "aoti_torch_cpu_addmm_out"
  std::vector<NodeId> steps_of_calls(const std::vector<std::string>& calls) const;

  /// Adds a step without nodes for every name that no step was found for: what ran is in some row, whatever the package
  /// says.
  void complete(const std::vector<std::string>& names, const std::vector<NodeId>& steps);

  /// Gives the records of a device their steps, and the trace a span for each step in place of what it has: from its
  /// first launch to the next step's, where launches were recorded.
  void assign_launches(Trace& trace) const;

 private:
  NodeId added_step(std::string_view name) const;

  RuntimeProgram program_;
  std::size_t announced_;
};

/// Names of a trace's device records in the order of their launch, and the records' positions.
struct Launches {
  std::vector<std::size_t> records;
  std::vector<std::string_view> kernels;  // as long as the trace
};
Launches launches_of(const Trace& trace);

}  // namespace nongemm::inductor
