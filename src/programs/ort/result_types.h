// Types of results whose shapes only a run knows, out of what the runtime's profile says of its steps' results.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "programs/ort/dataflow.h"
#include "programs/ort/run_profile.h"
#include "record/trace.h"

namespace nongemm::ort_flow {

class ResultTypes {
 public:
  /// @param names of the ONNX values that hold graph values, by the graph value; values without are left out
  /// @param optimised whose nodes the profile tells of
  ResultTypes(const Graph& graph, const std::unordered_map<ValueId, std::string>& names, const Dataflow& optimised);

  /// One row per graph node with such results, as the last call of its step saw them. What a step keeps to itself stays
  /// unknown.
  std::vector<ObservedTypes> observed(const RunProfile& profile) const;

 private:
  const Graph& graph_;
  std::unordered_map<std::string, ValueId> wanted_;                       // by ONNX value
  std::unordered_map<std::string, std::vector<std::string>> results_of_;  // by step; empty where several have its name
};

/// Names of all values whose shapes only a run knows; `outputs` are those with names of their own.
std::unordered_map<ValueId, std::string> names_of_unknown(const Graph& graph,
                                                          const std::vector<std::pair<std::string, ValueId>>& outputs);

}  // namespace nongemm::ort_flow
