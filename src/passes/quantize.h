// Quantization of a graph's linear layers.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"
#include "passes/calibration.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

struct Scheme {
  QuantizeScheme scheme;
  std::string_view id;
  Graph (*apply)(const Graph& graph, const QuantizeOptions& options);
};

/// What `--quantize` takes besides none.
std::span<const Scheme> schemes();

/// The graph with its linear layers quantized, or as it is where no scheme is asked for. Throws Error: kUsage for
/// modules to skip that are not there and a threshold that is none; kBadInput for a graph without a linear layer to
/// quantize.
Graph quantize(Graph graph, const QuantizeOptions& options);

/// w8a8 with scales of activations that were found before (calibration.h). Throws as quantize(), and Error(kUsage) for
/// another scheme and for a layer without a scale.
Graph quantize(const Graph& graph, const QuantizeOptions& options, const InputSteps& steps);

/// Notes in the graph's attributes how it was quantized.
void describe(const QuantizeOptions& options, Graph& graph);

}  // namespace nongemm::passes
