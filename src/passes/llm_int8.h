// LLM.int8 (Dettmers et al. 2022) as bitsandbytes 0.50.2 computes it.
#pragma once

#include "graph/graph.h"
#include "passes/calibration.h"
#include "passes/quantized_layers.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

Graph llm_int8(const Graph& graph, const QuantizeOptions& options);
/// The same without outliers: int8 by rows of activations and of weights.
Graph w8a8(const Graph& graph, const QuantizeOptions& options);

/// The same with scales of activations that were found before. Throws Error(kUsage) for a layer without one.
Graph static_w8a8(const Graph& graph, const QuantizeOptions& options, const InputSteps& steps);

/// With weights from elsewhere: int8 [out, in] and scales [out].
Graph llm_int8(const Graph& graph, const QuantizeOptions& options, const WeightSource& weights);
/// What makes w8a8 of LLM.int8.
QuantizeOptions without_outliers(QuantizeOptions options);

}  // namespace nongemm::passes
