#include "study/baseline.h"

#include "flows/load.h"
#include "spec/run_spec.h"

namespace nongemm {

void Baseline::begin_point(const std::string& key) {
  if (key == key_) return;
  key_ = key;
  analysis_.reset();
  outputs_.reset();
  flows_.clear();
}

const std::vector<FlowFigures>& Baseline::add(FlowFigures figures, const Analysis* node_by_node) {
  flows_.push_back(std::move(figures));
  if (node_by_node != nullptr) analysis_ = *node_by_node;
  return flows_;
}

const std::vector<HostTensor>& Baseline::outputs(const std::function<std::vector<HostTensor>()>& run) {
  if (!outputs_) outputs_ = run();
  return *outputs_;
}

std::vector<HostTensor> torch_outputs(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const std::vector<HostTensor>& inputs, const RunOptions& options) {
  RunOptions plain = options;
  plain.settings.clear();
  const std::unique_ptr<Session> session = load_flow(kBaselineFlow).prepare(graph, weights, plain);
  session->set_inputs(inputs);
  session->run();
  return session->outputs();
}

}  // namespace nongemm
