// One prepared model in ONNX Runtime.
#pragma once

#include <memory>
#include <vector>

#include "flows/flow.h"

namespace nongemm::ort_flow {

std::unique_ptr<Session> make_session(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options);

}  // namespace nongemm::ort_flow
