#include "study/limits_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/message.h"
#include "flows/load.h"
#include "record/machine.h"
#include "spec/run_spec.h"
#include "study/limits_file.h"

namespace nongemm {
namespace {

struct Member {
  const char* name;
  std::optional<double> DeviceLimits::*member;
  bool more_is_better = true;
  /// On every device.
  bool always = false;
};

constexpr std::array kMembers = {
    Member{"copy_bandwidth", &DeviceLimits::copy_bandwidth, true, true},
    Member{"read_bandwidth", &DeviceLimits::read_bandwidth, true, true},
    Member{"fp32_rate", &DeviceLimits::fp32_rate, true, true},
    Member{"tf32_rate", &DeviceLimits::tf32_rate},
    Member{"fp16_rate", &DeviceLimits::fp16_rate},
    Member{"bf16_rate", &DeviceLimits::bf16_rate},
    Member{"int8_rate", &DeviceLimits::int8_rate},
    Member{"launch_ns", &DeviceLimits::launch_ns, false},
    Member{"shortest_kernel_s", &DeviceLimits::shortest_kernel_s, false},
    Member{"round_trip_ns", &DeviceLimits::round_trip_ns, false},
};

struct QueueMember {
  const char* name;
  double QueueTimes::*member;
};

/// All of them or none.
constexpr std::array kQueueMembers = {
    QueueMember{"queue_start_ns", &QueueTimes::start_ns},
    QueueMember{"queue_switch_ns", &QueueTimes::switch_ns},
    QueueMember{"queue_return_ns", &QueueTimes::return_ns},
    QueueMember{"queue_wait_ns", &QueueTimes::wait_ns},
    QueueMember{"queue_recorded_start_ns", &QueueTimes::recorded_start_ns},
    QueueMember{"queue_recorded_switch_ns", &QueueTimes::recorded_switch_ns},
    QueueMember{"queue_recording_ns", &QueueTimes::recording_ns},
};

/// Raised when a figure is added or measured otherwise: older files are measured anew.
constexpr int kFileVersion = 3;

struct Known {
  DeviceLimits limits;
  /// Read from a file that is not of the last hour.
  bool old = false;
};

std::map<std::string, Known>& known_limits() {
  static std::map<std::string, Known> known;
  return known;
}

/// Another thread count or another processor is another device.
std::string cache_name(const std::string& flow, const RuntimeOptions& options) {
  std::string name = "limits-" + flow + "-" + to_string(options.device) + "-" + std::to_string(options.threads);
  for (const auto& [key, value] : describe_machine()) {
    if (options.device.is_host() && (key == "processor" || key == "cores")) name += "-" + value;
  }
  return limits_file_name(std::move(name));
}

/// Limits are the device's, whatever runs on it: the flow that can measure them does.
constexpr const char* kMeasuring = kBaselineFlow;

std::optional<DeviceLimits> limits_by_torch(const RunOptions& options, bool anew) {
  try {
    return limits_of(load_flow(kMeasuring), options, anew);
  } catch (const Error& error) {  // it is not installed, or does not know the device
    if (error.kind() != ErrorKind::kUnsupported && error.kind() != ErrorKind::kUsage) throw;
    return std::nullopt;
  }
}

/// Nothing for those of another version. Throws Error for anything that this program did not write.
std::optional<DeviceLimits> parse_limits(const std::string& content) {
  const Json json = parse_json_or_null(content);
  if (!json.is_object() || !json.contains("version")) refuse_limits("not what this program keeps");
  if (json["version"] != kFileVersion) return std::nullopt;
  DeviceLimits limits;
  limits.device = text_of_limits(json, "device");
  limits.measured_at = text_of_limits(json, "measured_at");
  for (const Member& member : kMembers) {
    const auto at = json.find(member.name);
    if (at == json.end() && member.always) refuse_limits(std::string("'") + member.name + "' is missing");
    if (at != json.end()) limits.*member.member = plausible_limit(*at, member.name);
  }
  for (const QueueMember& member : kQueueMembers) {
    const auto at = json.find(member.name);
    if (at == json.end()) continue;
    if (!limits.queue) limits.queue.emplace();
    (*limits.queue).*member.member = plausible_limit(*at, member.name);
  }
  return limits;
}

/// Nothing where there are none, or a file cannot be used: limits are then measured.
std::optional<DeviceLimits> read_limits(const std::filesystem::path& path) {
  std::optional<DeviceLimits> limits;
  read_kept_limits(path, [&](const std::string& content) { limits = parse_limits(content); });
  return limits;
}

void write_limits(const std::filesystem::path& path, const DeviceLimits& limits) {
  nlohmann::json json = {{"version", kFileVersion}, {"device", limits.device}, {"measured_at", limits.measured_at}};
  for (const Member& member : kMembers) {
    if (limits.*member.member) json[member.name] = *(limits.*member.member);
  }
  for (const QueueMember& member : kQueueMembers) {
    if (limits.queue) json[member.name] = (*limits.queue).*member.member;
  }
  keep_limits(path, json);
}

/// Of each figure the better one: what was reached once is possible.
DeviceLimits better_of(DeviceLimits now, const DeviceLimits& before) {
  for (const Member& member : kMembers) {
    std::optional<double>& figure = now.*member.member;
    const std::optional<double>& other = before.*member.member;
    if (!figure) figure = other;
    if (figure && other) figure = member.more_is_better ? std::max(*figure, *other) : std::min(*figure, *other);
  }
  if (!now.queue) now.queue = before.queue;  // no figure of these is better than another
  return now;
}

/// The most that a rate differs between two measurements, as a ratio. Times of the smallest calls always vary.
double disagreement(const DeviceLimits& a, const DeviceLimits& b) {
  double most = 1;
  for (const Member& member : kMembers) {
    const std::optional<double>& one = a.*member.member;
    const std::optional<double>& other = b.*member.member;
    if (member.more_is_better && one && other) most = std::max(most, std::max(*one, *other) / std::min(*one, *other));
  }
  return most;
}

struct Measured {
  DeviceLimits limits;
  bool quiet = true;  // two measurements agreed
};

/// Twice where they are to be kept: one taken beside other work looks like any other.
Measured measure(Flow& flow, const RunOptions& options, bool twice) {
  constexpr double kMostApart = 1.2;
  Measured measured{flow.measure_limits(options)};
  if (twice) {
    const DeviceLimits again = flow.measure_limits(options);
    const double apart = disagreement(measured.limits, again);
    measured.limits = better_of(again, measured.limits);
    measured.quiet = apart <= kMostApart;
    if (!measured.quiet) {
      say(
          fmt::format("nongemm: two measurements of the device's limits differ {:.1f} times: the machine is busy; the "
                      "better figures are used now and not kept\n",
                      apart));
    }
  }
  measured.limits.measured_at = utc_now() + (measured.quiet ? "" : ", on a busy machine");
  return measured;
}

}  // namespace

std::optional<DeviceLimits> limits_of(Flow& flow, const RunOptions& options, bool anew) {
  const std::string name = cache_name(flow.info().name, options);
  if (const auto at = known_limits().find(name); at != known_limits().end()) return at->second.limits;
  const std::filesystem::path folder = cache_folder();
  std::optional<DeviceLimits> limits;
  // A GPU under the same name may be another one tomorrow: those are kept for this process alone.
  const bool keep = options.device.is_host() && !folder.empty();
  if (keep && !anew) limits = read_limits(folder / name);
  const bool old = limits && is_old_limits_file(folder / name);
  if (!limits) {
    try {
      const Measured measured = measure(flow, options, keep);
      limits = measured.limits;
      if (keep && measured.quiet) write_limits(folder / name, *limits);
    } catch (const Error& error) {
      if (interrupted()) return std::nullopt;  // the run is worth having without them
      if (error.kind() != ErrorKind::kUnsupported) throw;
      return flow.info().name == kMeasuring ? std::nullopt : limits_by_torch(options, anew);
    }
  }
  known_limits().emplace(name, Known{*limits, old});
  return limits;
}

std::optional<DeviceLimits> kept_limits(const Device& device) {
  RuntimeOptions options;
  options.device = device;
  const std::filesystem::path folder = cache_folder();
  if (folder.empty()) return std::nullopt;
  return read_limits(folder / cache_name(kMeasuring, options));
}

std::optional<DeviceLimits> raise_limits(Flow& flow, const RunOptions& options) {
  const std::string name = cache_name(flow.info().name, options);
  const auto at = known_limits().find(name);
  if (at == known_limits().end()) {  // the measuring flow's
    return flow.info().name == kMeasuring ? std::nullopt : raise_limits(load_flow(kMeasuring), options);
  }
  Known& known = at->second;
  if (!known.old) return std::nullopt;
  DeviceLimits raised;
  try {
    raised = better_of(flow.measure_limits(options), known.limits);
  } catch (const Error&) {
    if (interrupted()) return std::nullopt;
    throw;
  }
  raised.measured_at = utc_now();
  known = {raised, false};
  write_limits(cache_folder() / name, raised);
  return raised;
}

}  // namespace nongemm
