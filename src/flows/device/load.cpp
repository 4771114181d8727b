#include "flows/load.h"

#include <charconv>

#include "flows/device/device.h"
#include "flows/module.h"

namespace nongemm::device {

Library& library() {
  static Library* const loaded = [] {
    return reinterpret_cast<NongemmCreateDeviceLibrary>(module_entry(
        module_folder() + "/libnongemm_cuda.so", "nongemm_create_device_library", "CUDA devices are out of reach",
        "build on a machine with an NVIDIA driver or the CUDA toolkit (NONGEMM_WITH_CUDA=1 forces it)"))();
  }();
  return *loaded;
}

int parse_cuda_device(const std::string& device) {
  if (device == "cuda") return 0;
  if (!device.starts_with("cuda:")) return -1;
  int index = -1;
  const char* begin = device.data() + 5;
  const char* end = device.data() + device.size();
  const auto [stop, error] = std::from_chars(begin, end, index);
  return error == std::errc() && stop == end && index >= 0 && index < 128 ? index : -1;
}

}  // namespace nongemm::device
