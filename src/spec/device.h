// Where something runs: a kind and an index. Text is read and written here alone.
#pragma once

#include <cstdint>
#include <string>

namespace nongemm {

enum class DeviceKind : std::uint8_t { kHost, kCuda };

struct Device {
  DeviceKind kind = DeviceKind::kHost;
  int index = 0;  // among the devices of a kind

  bool is_host() const { return kind == DeviceKind::kHost; }
  bool operator==(const Device&) const = default;
};

/// "cpu", "cuda", "cuda:1". Throws Error(kUsage) with the nearest ones.
Device parse_device(const std::string& text);

/// As parse_device reads it; the first device of a kind is called by the kind alone.
std::string to_string(const Device& device);

/// "cpu", "cuda"
const char* name_of(DeviceKind kind);

}  // namespace nongemm
