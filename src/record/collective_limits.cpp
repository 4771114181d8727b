#include "record/collective_limits.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nongemm {
namespace {

/// "all_reduce" of "_c10d_functional.all_reduce.default", and of its kind in place.
std::string_view name_alone(std::string_view op) {
  if (const std::size_t space = op.find('.'); space != std::string_view::npos) {
    op.remove_prefix(space + 1);
    op = op.substr(0, op.find('.'));
  }
  if (op.ends_with('_')) op.remove_suffix(1);
  return op;
}

}  // namespace

const CollectiveCurve* CollectiveLimits::find(std::string_view op) const {
  const auto curve = std::find_if(curves.begin(), curves.end(),
                                  [name = name_alone(op)](const CollectiveCurve& one) { return one.op == name; });
  return curve != curves.end() && !curve->points.empty() ? &*curve : nullptr;
}

double time_of_collective(const CollectiveLimits& limits, std::string_view op, double bytes) {
  const CollectiveCurve* curve = limits.find(op);
  if (curve == nullptr) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<CollectivePoint>& points = curve->points;
  const auto after = std::lower_bound(points.begin(), points.end(), bytes,
                                      [](const CollectivePoint& point, double size) { return point.bytes < size; });
  if (after == points.begin()) return points.front().time_s;
  if (after == points.end()) return points.back().time_s * bytes / points.back().bytes;
  const CollectivePoint& below = *(after - 1);
  const double part = std::log(bytes / below.bytes) / std::log(after->bytes / below.bytes);
  return below.time_s * std::pow(after->time_s / below.time_s, part);
}

double bus_bytes(std::string_view op, double bytes, int ranks) {
  const double n = ranks;
  if (op.find("all_reduce") != std::string_view::npos) return bytes * 2.0 * (n - 1) / n;
  if (op.find("all_gather") != std::string_view::npos) return bytes * (n - 1);  // each rank's part goes to all others
  return bytes * (n - 1) / n;
}

}  // namespace nongemm
