#include "cli/version.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "flows/device/device.h"
#include "flows/load.h"
#include "record/machine.h"
#include "report/field.h"
#include "study/collective_limits.h"
#include "study/limits_cache.h"

namespace nongemm::cli {
namespace {

/// The reason alone: the way out is for those who wanted it to run.
std::string not_found(const Error& error) {
  const std::string_view text = error.what();
  return fmt::format("not found: {}", text.substr(0, text.find('\n')));
}

std::string flow_line(const FlowDescription& flow) {
  std::string found;
  try {
    found = load_flow(std::string(flow.name)).info().version;
  } catch (const Error& error) {
    found = not_found(error);
  }
  return fmt::format("  {:<32}{}\n", flow.title, found);
}

std::string device_line(const DeviceDescription& device) {
  return fmt::format("  {:<32}{}, {:.1f} GB, {} multiprocessors, compute capability {}.{}\n",
                     to_string(Device{DeviceKind::kCuda, device.index}), device.name,
                     static_cast<double>(device.memory_bytes) * 1e-9, device.multiprocessors, device.capability_major,
                     device.capability_minor);
}

std::string cuda_lines() {
  try {
    const std::vector<DeviceDescription> devices = device::library().devices();
    if (devices.empty()) return fmt::format("  {:<32}not found: the driver offers no device\n", "CUDA");
    std::string text = fmt::format("  {:<32}{}, driver {}\n", "CUDA", devices.front().runtime, devices.front().driver);
    for (const DeviceDescription& device : devices) text += device_line(device);
    return text;
  } catch (const Error& error) {
    return fmt::format("  {:<32}{}\n", "CUDA", not_found(error));
  }
}

std::string machine(std::string_view key) {
  for (const auto& [name, value] : describe_machine()) {
    if (name == key) return value;
  }
  return "";
}

std::string limits_lines(const DeviceLimits& limits) {
  const auto line = [](const char* what, const std::optional<double>& value, Unit unit) {
    return value ? fmt::format("    {:<30}{}\n", what, to_text(*value, unit)) : "";
  };
  return line("copy", limits.copy_bandwidth, Unit::kByteRate) + line("read", limits.read_bandwidth, Unit::kByteRate) +
         line("fp32 products", limits.fp32_rate, Unit::kFlopRate) +
         line("fp16 products", limits.fp16_rate, Unit::kFlopRate) +
         line("bf16 products", limits.bf16_rate, Unit::kFlopRate) +
         line("int8 products", limits.int8_rate, Unit::kFlopRate) +
         fmt::format("    {:<30}{}\n", "measured at", limits.measured_at);
}

/// Of each collective what it takes however small, and what each rank sends at best.
std::string collective_lines(const CollectiveLimits& limits) {
  std::string text = fmt::format("    {} ranks: {}\n", limits.ranks, limits.devices);
  for (const CollectiveCurve& curve : limits.curves) {
    const CollectivePoint& least = curve.points.front();
    const CollectivePoint& most = curve.points.back();
    const double rate = bus_bytes(curve.op, most.bytes, limits.ranks) / most.time_s;
    text += fmt::format("    {:<30}{} at {}, bus {} at {}\n", curve.op, to_text(least.time_s, Unit::kSeconds),
                        to_text(least.bytes, Unit::kBytes), to_text(rate, Unit::kByteRate),
                        to_text(most.bytes, Unit::kBytes));
  }
  return text + fmt::format("    {:<30}{}\n", "measured at", limits.measured_at);
}

}  // namespace

std::string version_text() {
  std::string text = fmt::format("nongemm {} ({}, {})\n", machine("nongemm"), machine("revision"), NONGEMM_TOOLCHAIN);
  for (const FlowDescription* flow : known_flows()) text += flow_line(*flow);
  return text + cuda_lines();
}

std::string devices_text() {
  std::string text = fmt::format("  {:<32}{}, {} cores, {}\n", to_string(Device()), machine("processor"),
                                 machine("cores"), machine("memory"));
  const std::optional<DeviceLimits> limits = kept_limits(Device());
  text += limits ? limits_lines(*limits) : "    limits are measured by the first run\n";
  for (const CollectiveLimits& of_ranks : kept_collective_limits()) text += collective_lines(of_ranks);
  return text + cuda_lines();
}

}  // namespace nongemm::cli
