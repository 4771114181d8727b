#include "study/collective_limits.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/message.h"
#include "flows/device/device.h"
#include "record/machine.h"
#include "study/limits_file.h"

namespace nongemm {
namespace {

/// Raised when sizes or kinds are others, or are measured otherwise: older files are measured anew.
constexpr int kFileVersion = 1;
constexpr const char* kPrefix = "limits-ranks-";

struct Known {
  CollectiveLimits limits;
  /// Read from a file that is not of the last hour.
  bool old = false;
};

/// By the name of their file.
std::map<std::string, Known>& known_limits() {
  static std::map<std::string, Known> known;
  return known;
}

std::string file_name(int ranks, const std::string& devices) {
  return limits_file_name(fmt::format("{}{}-{:016x}", kPrefix, ranks, hash_of(devices)));
}

/// What tells one device from another: a processor with its cores, or a GPU.
std::string describe(const Device& device) {
  if (!device.is_host()) {
    const DeviceDescription gpu = device::library().devices().at(static_cast<std::size_t>(device.index));
    return gpu.name + " (" + gpu.uuid + ")";
  }
  std::string processor;
  std::string cores;
  for (const auto& [key, value] : describe_machine()) {
    if (key == "processor") processor = value;
    if (key == "cores") cores = value;
  }
  return processor + ", " + cores + " cores";
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

/// "2 x AMD EPYC, 2 cores"; with the machines, where there are several.
std::string describe_all(Communicator& ranks, const Device& device) {
  const std::vector<std::string> hosts = ranks.exchange(host_name());
  std::vector<std::string> devices = ranks.exchange(describe(device));
  const bool one_machine = std::all_of(hosts.begin(), hosts.end(), [&](const auto& host) { return host == hosts[0]; });
  for (std::size_t rank = 0; !one_machine && rank < devices.size(); ++rank) devices[rank] += " on " + hosts[rank];
  std::map<std::string, int> count;
  for (const std::string& one : devices) ++count[one];
  std::string text;
  for (const auto& [one, times] : count) {
    text += (text.empty() ? "" : "; ") + (times > 1 ? fmt::format("{} x {}", times, one) : one);
  }
  return text;
}

CollectiveCurve parse_curve(const std::string& op, const nlohmann::json& points) {
  constexpr std::size_t kMostPoints = 100;
  CollectiveCurve curve{op, {}};
  if (!points.is_array() || points.empty() || points.size() > kMostPoints) refuse_limits("'" + op + "' is no curve");
  for (const nlohmann::json& point : points) {
    if (!point.is_array() || point.size() != 2) refuse_limits("'" + op + "' is no curve");
    curve.points.push_back({plausible_limit(point[0], op), plausible_limit(point[1], op)});
  }
  const auto in_order = [](const CollectivePoint& a, const CollectivePoint& b) { return a.bytes >= b.bytes; };
  if (std::adjacent_find(curve.points.begin(), curve.points.end(), in_order) != curve.points.end()) {
    refuse_limits("'" + op + "' is in no order");
  }
  return curve;
}

/// Nothing for those of another version.
std::optional<CollectiveLimits> parse_limits(const std::string& content) {
  const Json json = parse_json_or_null(content);
  if (!json.is_object() || !json.contains("version")) refuse_limits("not what this program keeps");
  if (json["version"] != kFileVersion) return std::nullopt;
  CollectiveLimits limits;
  limits.devices = text_of_limits(json, "devices");
  limits.measured_at = text_of_limits(json, "measured_at");
  limits.ranks = static_cast<int>(plausible_limit(json.value("ranks", Json()), "ranks"));
  const Json curves = json.value("curves", Json());
  if (!curves.is_object() || curves.empty()) refuse_limits("'curves' is missing");
  for (const auto& [op, points] : curves.items()) limits.curves.push_back(parse_curve(op, points));
  return limits;
}

std::optional<CollectiveLimits> read_limits(const std::filesystem::path& path) {
  std::optional<CollectiveLimits> limits;
  read_kept_limits(path, [&](const std::string& content) { limits = parse_limits(content); });
  return limits;
}

void write_limits(const std::filesystem::path& path, const CollectiveLimits& limits) {
  nlohmann::json curves = nlohmann::json::object();
  for (const CollectiveCurve& curve : limits.curves) {
    for (const CollectivePoint& point : curve.points) curves[curve.op].push_back({point.bytes, point.time_s});
  }
  keep_limits(path, {{"version", kFileVersion},
                     {"ranks", limits.ranks},
                     {"devices", limits.devices},
                     {"measured_at", limits.measured_at},
                     {"curves", std::move(curves)}});
}

/// Of each point the better one, and by how much the rates at the largest sizes differ.
double take_better(CollectiveLimits& limits, const CollectiveLimits& other) {
  double apart = 1;
  for (std::size_t i = 0; i < limits.curves.size(); ++i) {
    std::vector<CollectivePoint>& points = limits.curves[i].points;
    const std::vector<CollectivePoint>& others = other.curves[i].points;
    const double ratio = points.back().time_s / others.back().time_s;
    apart = std::max({apart, ratio, 1 / ratio});
    for (std::size_t k = 0; k < points.size(); ++k) points[k].time_s = std::min(points[k].time_s, others[k].time_s);
  }
  return apart;
}

/// @return whether two measurements agreed
bool measure(Communicator& ranks, CollectiveLimits& limits) {
  constexpr double kMostApart = 1.2;
  limits = ranks.measure_collectives();
  const double apart = take_better(limits, ranks.measure_collectives());
  if (apart <= kMostApart || ranks.rank() > 0) return true;
  say(
      fmt::format("nongemm: two measurements of collectives differ {:.1f} times: the machine is busy; the better "
                  "figures are used now and not kept\n",
                  apart));
  return false;
}

}  // namespace

std::optional<CollectiveLimits> collective_limits_of(Communicator& ranks, const Device& device, bool wanted,
                                                     bool anew) {
  const std::string devices = describe_all(ranks, device);
  const std::string name = file_name(ranks.ranks(), devices);
  const std::filesystem::path folder = cache_folder();
  std::optional<CollectiveLimits> limits;
  bool old = false;
  if (ranks.rank() == 0 && wanted) {
    if (const auto at = known_limits().find(name); at != known_limits().end()) {
      limits = at->second.limits;
      old = at->second.old;
    }
    if (!limits && !folder.empty() && !anew) {
      limits = read_limits(folder / name);
      old = limits && is_old_limits_file(folder / name);
    }
  }
  const bool has_to_be_measured = wanted && !limits;
  if (ranks.from_first(has_to_be_measured ? 1 : 0) != 0) {
    try {
      const bool quiet = measure(ranks, limits.emplace());
      limits->devices = devices;
      limits->measured_at = utc_now() + (quiet ? "" : ", on a busy machine");
      if (ranks.rank() == 0 && quiet && !folder.empty()) write_limits(folder / name, *limits);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      return std::nullopt;  // the run is worth having without them
    }
  }
  if (ranks.rank() > 0 || !limits) return std::nullopt;
  known_limits().insert_or_assign(name, Known{*limits, old});
  return limits;
}

bool may_be_raised(const CollectiveLimits& limits) {
  const auto at = known_limits().find(file_name(limits.ranks, limits.devices));
  return at != known_limits().end() && at->second.old;
}

CollectiveLimits raise_limits(Communicator& ranks, const CollectiveLimits& limits) {
  CollectiveLimits raised = limits;
  take_better(raised, ranks.measure_collectives());
  raised.measured_at = utc_now();
  const std::string name = file_name(limits.ranks, limits.devices);
  known_limits().insert_or_assign(name, Known{raised, false});
  if (!cache_folder().empty()) write_limits(cache_folder() / name, raised);
  return raised;
}

std::vector<CollectiveLimits> kept_collective_limits() {
  std::vector<CollectiveLimits> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cache_folder(), error)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    if (std::optional<CollectiveLimits> limits = read_limits(entry.path())) all.push_back(std::move(*limits));
  }
  std::sort(all.begin(), all.end(), [](const CollectiveLimits& a, const CollectiveLimits& b) {
    return std::pair(a.ranks, a.devices) < std::pair(b.ranks, b.devices);
  });
  return all;
}

}  // namespace nongemm
