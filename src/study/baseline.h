// What the flows of one point of a sweep have to do with each other: the node-by-node run is what a runtime with a
// program of its own is held against, in time and in outputs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fusion.h"
#include "analysis/quantization.h"
#include "flows/flow.h"
#include "report/fusion_sections.h"
#include "verify/compare_outputs.h"

namespace nongemm {

/// A run of a model as it is, for the quantized one that comes after it.
struct AsItIs {
  std::string key;
  Unquantized figures;
  std::vector<HostTensor> outputs;
};

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

  /// What was measured of the model as it is, where it ran before.
  /// @param key of the point without its quantization
  const AsItIs* as_it_is(const std::string& key) const { return as_it_is_.key == key ? &as_it_is_ : nullptr; }
  void set_as_it_is(AsItIs run) { as_it_is_ = std::move(run); }
  /// Some point of the sweep is quantized: runs of models as they are are worth keeping.
  void want_as_it_is(bool wanted) { wants_as_it_is_ = wanted; }
  bool wants_as_it_is() const { return wants_as_it_is_; }

 private:
  std::string key_;
  std::optional<Analysis> analysis_;
  std::optional<std::vector<HostTensor>> outputs_;
  std::vector<FlowFigures> flows_;
  AsItIs as_it_is_;
  bool wants_as_it_is_ = false;
};

/// One inference of the torch flow, for its outputs.
std::vector<HostTensor> torch_outputs(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const std::vector<HostTensor>& inputs, const RunOptions& options);

}  // namespace nongemm
