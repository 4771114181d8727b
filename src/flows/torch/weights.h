// A graph's weights on the device: given, drawn, or made from others by the graph's preparation.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

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

/// Gives an entry of a model the weights of its first one, by name, in their slots (one for each of a graph's values).
/// Throws Error(kBadInput) naming one that is not there.
void share_weights(const Graph& first, const std::vector<c10::IValue>& first_slots, const Graph& graph,
                   std::vector<c10::IValue>& slots);

}  // namespace nongemm::torch_flow
