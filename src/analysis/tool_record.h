// The trace of another tool as a record, so that groups, operators and the split are those of a session of ours. The
// nodes are the trace's operators; where an operator says nothing of the work, the kernels that it launched; and
// copies.
#pragma once

#include <string>
#include <vector>

#include "analysis/named_group.h"
#include "record/record.h"
#include "record/timeline.h"
#include "record/tool_trace.h"

namespace nongemm {

struct ToolRecord {
  Record record;
  /// By node of its graph: whether times are of kernels, and what the group is told by.
  std::vector<GroupedBy> by;
  /// By DeviceRecord of the trace: the node that it belongs to.
  std::vector<NodeId> node_of;
};

/// One stretch of all that was recorded: its wall time is that from the first to the last activity of the device, or
/// from the first to the last event where there are none. A node's device time is that of its activities, overlap
/// charged once.
ToolRecord record_of(const ToolTrace& trace);

/// What the file has in time, on the nodes of its record. @param most entries of each list at most
Timeline timeline_of(const ToolTrace& trace, const ToolRecord& record, std::size_t most);

}  // namespace nongemm
