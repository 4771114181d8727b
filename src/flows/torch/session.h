// One prepared model in LibTorch.
#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <vector>

#include "flows/flow.h"

namespace nongemm::torch_flow {

std::unique_ptr<Session> make_session(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options, c10::Device device);

}  // namespace nongemm::torch_flow
