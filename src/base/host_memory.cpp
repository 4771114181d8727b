#include "base/host_memory.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>

#include "base/error.h"

namespace nongemm {
namespace {

/// Infinite when there is no such file, or "max" in it.
double number_in(const char* path) {
  std::ifstream file(path);
  double number = 0;
  return file >> number ? number : std::numeric_limits<double>::infinity();
}

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GB", bytes * 1e-9);
  return text;
}

}  // namespace

double memory_information(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  for (double kilobytes = 0; file >> name >> kilobytes;) {
    if (name == key + ":") return kilobytes * 1024.0;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

double available_memory() {
  double available = memory_information("MemAvailable");
  // A chroot without /proc: what is not known refuses nothing.
  if (available <= 0) available = std::numeric_limits<double>::infinity();
  // cgroup v2: what the container may still take
  const double limit = number_in("/sys/fs/cgroup/memory.max");
  const double used = number_in("/sys/fs/cgroup/memory.current");
  if (limit < std::numeric_limits<double>::infinity() && used < std::numeric_limits<double>::infinity()) {
    available = std::min(available, std::max(0.0, limit - used));
  }
  return available;
}

void require_memory(const std::string& purpose, double needed, const std::string& way_out) {
  const double available = available_memory();
  if (needed <= available) return;
  throw Error(ErrorKind::kOutOfMemory,
              purpose + " needs about " + gigabytes(needed) + ", " + gigabytes(available) + " are free", way_out);
}

}  // namespace nongemm
