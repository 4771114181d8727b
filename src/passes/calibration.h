// What has to be known of activations before a model with static scales can be built.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

/// The size of one int8 step of a layer's input, by the name of the layer's weight.
using InputSteps = std::map<std::string, double>;

/// The graph as it is, but with the largest magnitude of the input of each layer that is to be quantized for outputs,
/// named as the layers' weights and in place of its own. Throws Error(kUsage, kBadInput) as quantize(), (kUnsupported)
/// for a layer in a branch or a loop, which may not run at all.
Graph with_magnitudes(const Graph& graph, const QuantizeOptions& options);

/// A layer's largest magnitude is 127 steps. Of a weight that several layers use it is
/// the largest of all. Throws Error(kBadInput) for an input that is not finite.
/// @param outputs of that graph, of one run or, added one after the other, several
void add_steps(const Graph& magnitudes, const std::vector<HostTensor>& outputs, InputSteps& steps);

}  // namespace nongemm::passes
