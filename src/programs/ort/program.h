// The runtime's steps and the profile's nodes brought together.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "programs/ort/run_profile.h"
#include "record/runtime_program.h"
#include "record/trace.h"

namespace nongemm::ort_flow {

class Program {
 public:
  /// @param mapped steps in the order of the optimised graph
  explicit Program(RuntimeProgram mapped) : program_(std::move(mapped)) {}

  /// Puts steps in the order in which they ran, and adds where they ran and how much copies moved. Steps of the profile
  /// that the optimised graph does not have are added, unmapped. Call once, before spans().
  void complete(const RunProfile& profile);

  const RuntimeProgram& steps() const { return program_; }

  /// One span for each call, by its own time, from the start of the profile.
  std::vector<NodeSpan> spans(const RunProfile& profile) const;

 private:
  /// Names need not be unique in the runtime: nodes of one name are told apart by its own numbering.
  using Key = std::pair<std::string, std::uint32_t>;

  /// Steps that no node of the profile was found for yet, in the order of the graph.
  struct Waiting {
    std::map<std::string, std::deque<std::size_t>> by_name;
    std::map<std::string, std::deque<std::size_t>> nameless;  // by type
  };

  NodeId add_step(const ProfiledNode& node, Waiting& waiting, RuntimeProgram& ordered) const;

  RuntimeProgram program_;
  std::map<Key, NodeId> places_;
  std::map<std::string, NodeId> not_run_;  // steps of branches that were not taken when complete() was called
};

}  // namespace nongemm::ort_flow
