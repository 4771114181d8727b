// What a device says of itself: what it is, and how it fares at a moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nongemm {

struct DeviceDescription {
  int index = 0;     // among the CUDA devices
  std::string name;  // "NVIDIA H100 80GB HBM3"
  std::string uuid;
  std::uint64_t memory_bytes = 0;
  int multiprocessors = 0;
  int capability_major = 0;
  int capability_minor = 0;
  std::string driver;   // "580.159.04"
  std::string runtime;  // newest CUDA version that the driver knows: "13.0"
};

/// One reading. What the driver does not tell is absent.
struct DeviceState {
  std::int64_t time_ns = 0;  // CLOCK_MONOTONIC
  /// Energy since the driver was loaded. The counter moves every 20 to 100 ms: readings around less than a second of
  /// work say little.
  std::optional<double> energy_joules;
  std::optional<double> power_watts;
  std::optional<int> sm_clock_mhz;
  std::optional<int> memory_clock_mhz;
  std::optional<int> sm_clock_limit_mhz;  // the highest the device can run at
  std::optional<int> temperature_celsius;
  /// Why the clocks are below their limit, in words; "idle" and user settings are no throttling and stand here too.
  std::vector<std::string> clock_reasons;
  /// A reason that slows a busy device against its will (power, heat, hardware) is active.
  std::optional<bool> throttled;
};

}  // namespace nongemm
