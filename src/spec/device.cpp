#include "spec/device.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace nongemm {

Device parse_device(const std::string& text) {
  constexpr std::string_view kIndexed = "cuda:";
  constexpr int kMostDevices = 128;  // what PyTorch's index holds
  if (text == name_of(DeviceKind::kHost)) return {};
  if (text == name_of(DeviceKind::kCuda)) return {DeviceKind::kCuda, 0};
  if (text.starts_with(kIndexed)) {
    int index = -1;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + kIndexed.size(), end, index);
    if (error == std::errc() && stop == end && index >= 0 && index < kMostDevices) return {DeviceKind::kCuda, index};
  }
  throw Error(ErrorKind::kUsage, "unknown device '" + text + "'", did_you_mean(text, {"cpu", "cuda", "cuda:0"}));
}

std::string to_string(const Device& device) {
  const std::string kind = name_of(device.kind);
  return device.index == 0 ? kind : kind + ":" + std::to_string(device.index);
}

const char* name_of(DeviceKind kind) { return kind == DeviceKind::kHost ? "cpu" : "cuda"; }

}  // namespace nongemm
