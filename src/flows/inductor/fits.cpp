#include "flows/inductor/fits.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <cctype>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "flows/device/device.h"

namespace nongemm::inductor_flow {
namespace {

/// "flags : fpu vme ... avx2 ..." of the first processor; empty where the kernel does not tell.
std::string processor_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) return line;
  }
  return "";
}

}  // namespace

std::string missing_instructions(const std::string& sets, const std::string& flags) {
  if (flags.empty()) return "";
  std::istringstream words(sets);
  for (std::string word; words >> word;) {
    std::string flag;
    for (const char letter : word) flag += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (flag == "avx512") flag = "avx512f";
    if (flag.starts_with("avx") && (flags + " ").find(" " + flag + " ") == std::string::npos) return word;
  }
  return "";
}

void check_fits(const std::filesystem::path& path, const pt2::CompiledPackage& package, const Device& device) {
  const auto refuse = [&](const std::string& what, const std::string& way_out) {
    throw Error(ErrorKind::kUnsupported, path.string() + ": was compiled for " + what, way_out);
  };
  // LibTorch's loader relies on this file, and on a package of a single entry it ends the program.
  if (package.device.empty()) {
    throw Error(ErrorKind::kBadInput,
                path.string() + ": does not say which device it was compiled for (..._metadata.json)",
                "compile it again with aoti_compile_and_package of torch 2.8 to 2.11");
  }
  const bool for_host = package.device == "cpu";
  if (for_host != device.is_host()) {
    const std::string made_for = for_host ? "cpu" : package.device;
    refuse(made_for + ", not for " + to_string(device), "run it with --device " + made_for);
  }
  utsname here{};
  if (::uname(&here) == 0 && !package.machine.empty() && package.machine != here.machine) {
    refuse(package.machine + ", this machine is " + here.machine, "compile it on such a machine");
  }
  if (for_host) {
    const std::string missing = missing_instructions(package.host_instructions, processor_flags());
    if (!missing.empty()) refuse("processors with " + missing + ", which this one lacks", "compile it on this machine");
    return;
  }
  for (const DeviceDescription& found : device::library().devices()) {
    const std::string capability = fmt::format("{}{}", found.capability_major, found.capability_minor);
    if (found.index != device.index || package.compute_capability.empty()) continue;
    if (capability == package.compute_capability) continue;
    refuse(fmt::format("compute capability {}, {} has {}", package.compute_capability, found.name, capability),
           "compile it on such a device");
  }
}

}  // namespace nongemm::inductor_flow
