// What collectives take at best among the devices of a job, as measured on them: what those of a model are held
// against.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

struct CollectivePoint {
  double bytes = 0;  // of one rank's operand
  double time_s = 0;
};

/// One kind, by size.
struct CollectiveCurve {
  std::string op;                       // as the operator table has it: "all_reduce"
  std::vector<CollectivePoint> points;  // by size, at least one
};

/// Of one set of devices.
struct CollectiveLimits {
  int ranks = 0;
  std::string devices;      // "2 x NVIDIA H200", or the host's processor as often as there are ranks
  std::string measured_at;  // UTC
  std::vector<CollectiveCurve> curves;

  /// nullptr for a kind that was not measured.
  /// @param op its name in the table, or with namespace and overload: "_c10d_functional.all_reduce.default"
  const CollectiveCurve* find(std::string_view op) const;
};

/// Seconds of a call: between two measured sizes along the straight line through both in logarithms, below the smallest
/// as long as that one, above the largest at its rate. NaN for a kind that was not measured.
double time_of_collective(const CollectiveLimits& limits, std::string_view op, double bytes);

/// Bytes that each rank has to send for one call, whichever algorithm: over the time of a call they are the bus
/// bandwidth of nccl-tests.
/// @param bytes of the operand
double bus_bytes(std::string_view op, double bytes, int ranks);

}  // namespace nongemm
