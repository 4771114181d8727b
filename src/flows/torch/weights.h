// A graph's weights on the device: given, drawn, or made from others by the graph's preparation.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "flows/device/device.h"
#include "flows/flow.h"
#include "graph/graph.h"

namespace nongemm::torch_flow {

/// @param weights in the order of graph.stored_weights(); those without data are drawn
/// @param cuda draws on the device where it can; nullptr on a host
/// @returns one for each of graph.weights
std::vector<at::Tensor> place_weights(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options, c10::Device device, device::Library* cuda);

}  // namespace nongemm::torch_flow
