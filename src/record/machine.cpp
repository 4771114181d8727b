#include "record/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <thread>

#include "base/host_memory.h"

#ifndef NONGEMM_VERSION
#define NONGEMM_VERSION "unknown"
#endif
#ifndef NONGEMM_REVISION
#define NONGEMM_REVISION "unknown"
#endif

namespace nongemm {
namespace {

/// The value after "key" and a colon in a file of such lines.
std::string line_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::vector<std::pair<std::string, std::string>> describe_machine() {
  utsname system{};
  uname(&system);
  return {
      {"nongemm", NONGEMM_VERSION},
      {"revision", NONGEMM_REVISION},
      {"time", utc_now()},
      {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
      {"processor", line_value("/proc/cpuinfo", "model name")},
      {"cores", std::to_string(std::thread::hardware_concurrency())},
      {"memory", fmt::format("{:.1f} GB", memory_information("MemTotal") * 1e-9)},
      {"load", first_line("/proc/loadavg")},
  };
}

}  // namespace nongemm
