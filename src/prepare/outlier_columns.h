// Channels that stand out, in models whose weights nobody trained.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace nongemm {

/// Lets `count` channels of every normalization's result stand out, evenly spaced, by its scale: most of their values
/// are beyond what LLM.int8 takes for an outlier (6.0), as a handful of channels of trained language models are
/// (Dettmers et al. 2022, section 4) and none of normally distributed ones. Says so in the graph's attribute
/// `outlier columns`. Nothing for 0. For synthetic weights: trained ones are not touched.
/// @throws Error (kUsage) where no normalization has a scale, or none has more channels than `count`
void set_outlier_columns(Graph& graph, std::int64_t count);

/// Whether some were set.
bool has_outlier_columns(const Graph& graph);

}  // namespace nongemm
