#include "flows/cuda/nvml.h"

#include <dlfcn.h>

#include <map>
#include <utility>

#include "base/clock.h"

namespace nongemm::cuda {
namespace {

// From NVIDIA's NVML API reference: its header is in neither the wheels nor the toolkit.
using Handle = void*;
constexpr int kSuccess = 0;
constexpr unsigned kSmClock = 1;
constexpr unsigned kMemoryClock = 2;
constexpr unsigned kGpuTemperature = 0;

struct Reason {
  unsigned long long bit;
  const char* words;
  bool against_its_will;
};
constexpr Reason kReasons[] = {
    {0x1, "idle", false},
    {0x2, "application clocks", false},
    {0x4, "power cap", true},
    {0x8, "hardware slowdown", true},
    {0x10, "sync boost", false},
    {0x20, "software thermal slowdown", true},
    {0x40, "hardware thermal slowdown", true},
    {0x80, "power brake", true},
    {0x100, "display clocks", false},
};

struct Nvml {
  int (*handle_by_pci)(const char*, Handle*) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*energy)(Handle, unsigned long long*) = nullptr;  // mJ
  int (*power)(Handle, unsigned*) = nullptr;             // mW
  int (*clock)(Handle, unsigned, unsigned*) = nullptr;   // MHz
  int (*highest_clock)(Handle, unsigned, unsigned*) = nullptr;
  int (*temperature)(Handle, unsigned, unsigned*) = nullptr;
  int (*clock_reasons)(Handle, unsigned long long*) = nullptr;
  bool usable = false;
};

template <typename Function>
void look_up(void* library, const char* name, Function& function) {
  if (function == nullptr) function = reinterpret_cast<Function>(dlsym(library, name));
}

Nvml load() {
  Nvml nvml;
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nvml;
  int (*initialise)() = nullptr;
  look_up(library, "nvmlInit_v2", initialise);
  look_up(library, "nvmlDeviceGetHandleByPciBusId_v2", nvml.handle_by_pci);
  look_up(library, "nvmlSystemGetDriverVersion", nvml.driver_version);
  look_up(library, "nvmlDeviceGetTotalEnergyConsumption", nvml.energy);
  look_up(library, "nvmlDeviceGetPowerUsage", nvml.power);
  look_up(library, "nvmlDeviceGetClockInfo", nvml.clock);
  look_up(library, "nvmlDeviceGetMaxClockInfo", nvml.highest_clock);
  look_up(library, "nvmlDeviceGetTemperature", nvml.temperature);
  look_up(library, "nvmlDeviceGetCurrentClocksEventReasons", nvml.clock_reasons);
  look_up(library, "nvmlDeviceGetCurrentClocksThrottleReasons", nvml.clock_reasons);  // its older name
  nvml.usable = initialise != nullptr && nvml.handle_by_pci != nullptr && initialise() == kSuccess;
  return nvml;
}

const Nvml& nvml() {
  static const Nvml functions = load();
  return functions;
}

/// What `function` writes, when it exists and succeeds.
template <typename Value, typename Function, typename... Arguments>
std::optional<Value> ask(Function function, Arguments... arguments) {
  Value value{};
  if (function == nullptr || function(arguments..., &value) != kSuccess) return std::nullopt;
  return value;
}

template <typename Function, typename... Arguments>
std::optional<int> ask_int(Function function, Arguments... arguments) {
  const std::optional<unsigned> value = ask<unsigned>(function, arguments...);
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

Handle handle_of(const std::string& pci_address) {
  static std::map<std::string, Handle> handles;
  const auto known = handles.find(pci_address);
  if (known != handles.end()) return known->second;
  Handle handle = nullptr;
  if (nvml().handle_by_pci(pci_address.c_str(), &handle) != kSuccess) handle = nullptr;
  return handles.emplace(pci_address, handle).first->second;
}

}  // namespace

std::string driver_version() {
  char text[96] = {};
  if (!nvml().usable || nvml().driver_version == nullptr) return {};
  return nvml().driver_version(text, sizeof text) == kSuccess ? text : "";
}

DeviceState read_state(const std::string& pci_address) {
  DeviceState state;
  state.time_ns = now_ns();
  if (!nvml().usable) return state;
  const Handle device = handle_of(pci_address);
  if (device == nullptr) return state;

  if (const auto energy = ask<unsigned long long>(nvml().energy, device)) {
    state.energy_joules = static_cast<double>(*energy) / 1000.0;
  }
  if (const auto power = ask<unsigned>(nvml().power, device)) state.power_watts = *power / 1000.0;
  state.sm_clock_mhz = ask_int(nvml().clock, device, kSmClock);
  state.memory_clock_mhz = ask_int(nvml().clock, device, kMemoryClock);
  state.sm_clock_limit_mhz = ask_int(nvml().highest_clock, device, kSmClock);
  state.temperature_celsius = ask_int(nvml().temperature, device, kGpuTemperature);
  if (const auto reasons = ask<unsigned long long>(nvml().clock_reasons, device)) {
    state.throttled = false;
    for (const Reason& reason : kReasons) {
      if ((*reasons & reason.bit) == 0) continue;
      state.clock_reasons.emplace_back(reason.words);
      state.throttled = *state.throttled || reason.against_its_will;
    }
  }
  return state;
}

}  // namespace nongemm::cuda
