#include "study/limits_cache.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "flows/load.h"
#include "record/machine.h"
#include "spec/run_spec.h"

namespace nongemm {
namespace {

struct Member {
  const char* name;
  std::optional<double> DeviceLimits::*member;
  bool more_is_better = true;
};

constexpr std::array kMembers = {
    Member{"copy_bandwidth", &DeviceLimits::copy_bandwidth},
    Member{"read_bandwidth", &DeviceLimits::read_bandwidth},
    Member{"fp32_rate", &DeviceLimits::fp32_rate},
    Member{"tf32_rate", &DeviceLimits::tf32_rate},
    Member{"fp16_rate", &DeviceLimits::fp16_rate},
    Member{"bf16_rate", &DeviceLimits::bf16_rate},
    Member{"int8_rate", &DeviceLimits::int8_rate},
    Member{"launch_ns", &DeviceLimits::launch_ns, false},
    Member{"shortest_kernel_s", &DeviceLimits::shortest_kernel_s, false},
    Member{"round_trip_ns", &DeviceLimits::round_trip_ns, false},
};

/// Raised when a figure is added or measured otherwise: older files are measured anew.
constexpr int kFileVersion = 2;

struct Known {
  DeviceLimits limits;
  /// Read from a file that is not of the last hour.
  bool old = false;
};

std::map<std::string, Known>& known_limits() {
  static std::map<std::string, Known> known;
  return known;
}

bool is_old(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - written > std::chrono::hours(1);
}

/// Another thread count or another processor is another device.
std::string cache_name(const std::string& flow, const RuntimeOptions& options) {
  std::string name = "limits-" + flow + "-" + to_string(options.device) + "-" + std::to_string(options.threads);
  for (const auto& [key, value] : describe_machine()) {
    if (options.device.is_host() && (key == "processor" || key == "cores")) name += "-" + value;
  }
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '-') letter = '_';
  }
  return name + ".json";
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

std::optional<DeviceLimits> read_limits(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  constexpr std::size_t kMostBytes = 1 << 16;
  const auto json = parse_json(read_file(path, kMostBytes), path.string());
  if (!json.is_object() || json.value("version", nlohmann::json()) != kFileVersion) return std::nullopt;
  DeviceLimits limits;
  const auto text = [&](const char* key) { return json.contains(key) && json[key].is_string() ? json[key] : ""; };
  limits.device = text("device");
  limits.measured_at = text("measured_at");
  for (const Member& member : kMembers) {
    const auto at = json.find(member.name);
    if (at == json.end()) continue;
    // A file that was tampered with is measured anew, like one that is missing.
    if (!at->is_number() || !(at->get<double>() > 0)) return std::nullopt;
    limits.*member.member = at->get<double>();
  }
  return limits;
}

void write_limits(const std::filesystem::path& path, const DeviceLimits& limits) {
  nlohmann::json json = {{"version", kFileVersion}, {"device", limits.device}, {"measured_at", limits.measured_at}};
  for (const Member& member : kMembers) {
    if (limits.*member.member) json[member.name] = *(limits.*member.member);
  }
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  try {
    write_file_atomically(path, dump_json(json, 1) + "\n");
  } catch (const Error&) {
    // A read-only home: they are measured again next time.
  }
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
  const bool old = limits && is_old(folder / name);
  if (!limits) {
    try {
      limits = flow.measure_limits(options);
      limits->measured_at = utc_now();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      return flow.info().name == kMeasuring ? std::nullopt : limits_by_torch(options, anew);
    }
    if (keep) write_limits(folder / name, *limits);
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
  DeviceLimits raised = flow.measure_limits(options);
  raised.measured_at = utc_now();
  for (const Member& member : kMembers) {
    std::optional<double>& now = raised.*member.member;
    const std::optional<double>& before = known.limits.*member.member;
    if (!now) now = before;
    if (now && before) now = member.more_is_better ? std::max(*now, *before) : std::min(*now, *before);
  }
  known = {raised, false};
  write_limits(cache_folder() / name, raised);
  return raised;
}

}  // namespace nongemm
