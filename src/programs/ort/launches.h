// Kernels to nodes: a node of the runtime launched what the host called for while that node's kernel function ran.
// Plain logic on recorded times.
#pragma once

#include <cstdint>
#include <vector>

#include "record/trace.h"

namespace nongemm::ort_flow {

/// The runtime says when nodes began relative to the start of its own profile, and not when that was. It lies a little
/// after the call into the runtime: of all starts within `most_ns` after `earliest_ns` the one is taken that puts the
/// most launches inside nodes, the middle where several do equally well.
/// @param spans relative to the start of the profile
/// @return the start, on the clock of the launches
std::int64_t profile_start(const std::vector<NodeSpan>& spans, const std::vector<DeviceRecord>& records,
                           std::int64_t earliest_ns, std::int64_t most_ns);

/// Gives each record the span that was open when it was launched: the last one that began before. Records from before
/// the first span keep none.
/// @param trace with spans on the clock of the launches, in the order of their begin
void assign_launches(Trace& trace);

}  // namespace nongemm::ort_flow
