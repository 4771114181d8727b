// What one traced inference leaves behind: plain records, the same for every flow. Analysis is not done here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

/// Host time inside the call of one node. A node in a loop's body has one span per iteration.
/// Times are nanoseconds of CLOCK_MONOTONIC.
struct NodeSpan {
  NodeId node = kNoId;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

/// One activity of the device, in its order of execution.
struct DeviceRecord {
  enum class Kind : std::uint8_t { kKernel, kMemcpyHostToDevice, kMemcpyDeviceToHost, kMemcpyDeviceToDevice, kMemset };

  std::int64_t begin_ns = 0;  // on the host's clock
  std::int64_t end_ns = 0;
  /// When the host called for it; 0 when that was not recorded.
  std::int64_t launch_ns = 0;
  /// When that call returned; 0 likewise.
  std::int64_t launched_ns = 0;
  /// Index into Trace::names; kNoId for copies and fills.
  std::uint32_t name = kNoId;
  std::uint32_t stream = 0;
  /// The node that launched it; kNoId when that was not recorded or no node did.
  NodeId node = kNoId;
  /// Position in Trace::nodes of the very call that launched it, when known.
  std::uint32_t span = kNoId;
  std::uint64_t bytes = 0;  // of copies and fills
  Kind kind = Kind::kKernel;
};

/// A call of the device's runtime, whether it launches something or not.
struct HostCall {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t span = kNoId;  // position in Trace::nodes of the call that made it
};

/// A call in which the host waited for the device.
struct SynchronisationRecord {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  NodeId node = kNoId;
};

/// Operators of an inference by their place in the order of running, as DeviceRecord::span has it; both ends are in.
struct Window {
  std::uint32_t first = 0;
  std::uint32_t last = kNoId;  // to the end
};

/// Types that a node's results really had, for nodes whose shapes the data decides.
struct ObservedTypes {
  NodeId node = kNoId;
  std::vector<Type> results;
};

struct Trace {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::vector<NodeSpan> nodes;
  std::vector<DeviceRecord> device;
  /// Calls of the runtime, outermost ones, in order of begin; with TraceLevel::kAttribution alone.
  std::vector<HostCall> calls;
  std::vector<SynchronisationRecord> synchronisations;
  std::vector<std::string> names;  // kernels, demangled, as the runtime printed them
};

}  // namespace nongemm
