// What the flows of one point of a sweep have to do with each other: the node-by-node run is what a runtime with a
// program of its own is held against, in time and in outputs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fusion.h"
#include "flows/flow.h"
#include "report/fusion_sections.h"
#include "verify/compare_outputs.h"

namespace nongemm {

/// Kept from point to point. Points that differ in more than the flow have nothing to do with each other.
class Baseline {
 public:
  /// @param key what the flows have in common: a change forgets everything
  void begin_point(const std::string& key);

  /// The torch flow's analysis of this point; nullptr when it has not run.
  const Analysis* analysis() const { return analysis_ ? &*analysis_ : nullptr; }
  /// All flows of this point so far, this one included.
  const std::vector<FlowFigures>& add(FlowFigures figures, const Analysis* node_by_node);

  /// The torch flow's outputs; `run` is asked for them when it has not run yet.
  const std::vector<HostTensor>& outputs(const std::function<std::vector<HostTensor>()>& run);
  void set_outputs(std::vector<HostTensor> outputs) { outputs_ = std::move(outputs); }

 private:
  std::string key_;
  std::optional<Analysis> analysis_;
  std::optional<std::vector<HostTensor>> outputs_;
  std::vector<FlowFigures> flows_;
};

/// One inference of the torch flow, for its outputs.
std::vector<HostTensor> torch_outputs(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const std::vector<HostTensor>& inputs, const RunOptions& options);

}  // namespace nongemm
