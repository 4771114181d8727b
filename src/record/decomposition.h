// What the device did during an inference, laid out so that its parts add up to the wall time. Plain logic on recorded
// traces: nothing here needs a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// Shifts all device records by one amount so that they lie within the trace's begin and end: the
/// device's clock is only known to some microseconds, but no work begins before the inference or ends after the wait
/// for it. Records that span more than the inference stay as they are.
/// @return the shift in ns, 0 when none was needed
std::int64_t align_to_window(Trace& trace);

/// What one node takes of an inference, in ns.
struct NodeShare {
  /// Durations of its records, added up.
  double kernel_ns = 0;
  /// The same without what overlaps: time in which several records run belongs to the one that began first.
  double device_ns = 0;
  /// Time in which the device has nothing to do before one of the node's records begins.
  double gap_ns = 0;
  double records = 0;
};

/// One inference, or the mean of several. head + sum of device and gap over all nodes + unattributed + tail + remainder
/// is the wall time.
struct Decomposition {
  double wall_ns = 0;
  /// From the begin of the inference to the first record: the host prepares the first launch.
  double head_ns = 0;
  /// From the end of the last record to the return of the inference: waiting and waking up.
  double tail_ns = 0;
  /// By NodeId.
  std::vector<NodeShare> nodes;
  /// Records without a node, and the gaps before them.
  NodeShare unattributed;
  /// Device time outside [begin, end], not in any part; a sign of clocks that do not agree.
  double clipped_ns = 0;

  double device_ns() const;
  double gap_ns() const;
  double kernel_ns() const;
  /// What the parts leave of the wall time.
  double remainder_ns() const { return wall_ns - head_ns - device_ns() - gap_ns() - tail_ns; }
  /// Share of kernel time that has a node; 1 without any.
  double attributed_share() const;
};

/// @param node_count how many entries Decomposition::nodes gets; records of nodes beyond count as unattributed
Decomposition decompose(const Trace& trace, std::size_t node_count);

/// Every part averaged. All must have the same number of nodes; none gives an empty decomposition.
Decomposition mean_of(std::span<const Decomposition> parts);

/// The decomposition of the same inference without instrumentation: recording lengthens what the host does between
/// launches, not the kernels, so head, gaps and tail shrink in proportion until the parts add up to `plain_wall_ns`. A
/// wall time shorter than the device time cannot be reached: the remainder is then negative and says by how much.
Decomposition without_overhead(const Decomposition& measured, double plain_wall_ns);

/// Host time inside the calls of each node, in ns, by NodeId.
std::vector<double> host_time(const Trace& trace, std::size_t node_count);

/// Time in which the host waited for the device, in ns, by NodeId.
std::vector<double> wait_time(const Trace& trace, std::size_t node_count);

}  // namespace nongemm
