// A runtime's steps as rows of the same kind as graph nodes, so that every table means the same for every flow.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "record/runtime_program.h"

namespace nongemm {

/// One row per step, without times. A step's group is GEMM or attention when it covers such a node, otherwise that of
/// the costliest node it covers. Attention that a runtime runs in parts counts by these: its products as GEMM, its
/// softmax, masks and scales on their own. Copies that the runtime added are communication, its casts and reformats
/// memory movement. Work and traffic are those of the covered nodes without what passes between them; a node that
/// several steps share counts for each in equal parts.
/// @param nodes the graph's nodes, classified and costed, by NodeId
std::vector<NodeRow> step_rows(const Graph& graph, const std::vector<NodeRow>& nodes, const RuntimeProgram& program);

/// Whether a node is work that can be fused: not a view, not control flow.
bool is_compute(const NodeRow& node);

}  // namespace nongemm
