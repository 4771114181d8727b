// Schemes without outliers: weights alone in 8 or 4 bits, and both factors in 8-bit floating point.
#pragma once

#include "graph/graph.h"
#include "passes/quantized_layers.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

/// Integers by groups of 128 along a weight's rows, symmetric, as compressed-tensors writes W8A16 and W4A16.
Graph w8(const Graph& graph, const QuantizeOptions& options);
Graph w4(const Graph& graph, const QuantizeOptions& options);
/// e4m3, one scale for each row of activations (found as they come) and of weights.
Graph fp8(const Graph& graph, const QuantizeOptions& options);

// The same with weights from elsewhere: of groups values, scales and perhaps zeros; of fp8 rows and scales.
/// @param group 0 for whole rows
Graph weight_only(const Graph& graph, const QuantizeOptions& options, std::int64_t bits, std::int64_t group,
                  const WeightSource& weights);
Graph fp8(const Graph& graph, const QuantizeOptions& options, const WeightSource& weights);

}  // namespace nongemm::passes
