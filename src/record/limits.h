// What a device can do at best, as measured on it: the roofs that operators are held against.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nongemm {

/// How a device takes up work, ns: the constants of the queue model (profile/queue_model.h). A launch counts from the
/// return of its call, which is shortly after the device was told.
struct QueueTimes {
  /// From there to the begin of the work on a device that has nothing to do.
  double start_ns = 0;
  /// From the end of a kernel to the begin of the next that stands in the queue.
  double switch_ns = 0;
  /// From the end of the last work to the return of the wait for it.
  double return_ns = 0;
  /// What a wait takes when there is nothing to wait for.
  double wait_ns = 0;
  /// The first two while kernels are recorded, and by how much a call that launches is longer then.
  double recorded_start_ns = 0;
  double recorded_switch_ns = 0;
  double recording_ns = 0;
};

/// Absent figures could not be measured on this device; they are never 0.
struct DeviceLimits {
  std::string device;       // "NVIDIA H100 80GB HBM3", or the processor's name
  std::string measured_at;  // UTC, "2026-11-22T10:00:00Z"
  /// Bytes per second of a large copy, read and written counted both.
  std::optional<double> copy_bandwidth;
  /// Bytes per second of a large reduction: reading alone.
  std::optional<double> read_bandwidth;
  /// Operations per second (a multiplication and an addition are two) of a large square matrix product, by the type of
  /// its operands.
  std::optional<double> fp32_rate;
  std::optional<double> tf32_rate;
  std::optional<double> fp16_rate;
  std::optional<double> bf16_rate;
  std::optional<double> int8_rate;
  /// Host time to launch a kernel through the runtime when nothing waits, ns.
  std::optional<double> launch_ns;
  /// What work takes however little it is, s: the shortest kernel on a device, the shortest operator call on a host.
  std::optional<double> shortest_kernel_s;
  /// From the call that launches an empty kernel on an idle device to the return of the wait for it, ns.
  std::optional<double> round_trip_ns;
  std::optional<QueueTimes> queue;
};

}  // namespace nongemm
