#include "flows/load.h"

#include <dlfcn.h>

#include <charconv>

#include "base/error.h"
#include "flows/device/device.h"

namespace nongemm::device {

Library& library() {
  static Library* const loaded = [] {
    const std::string path = module_folder() + "/libnongemm_cuda.so";
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      throw Error(ErrorKind::kUnsupported, std::string("CUDA devices are out of reach: ") + dlerror(),
                  "build on a machine with an NVIDIA driver or the CUDA toolkit (NONGEMM_WITH_CUDA=1 forces it)");
    }
    auto* create = reinterpret_cast<NongemmCreateDeviceLibrary>(dlsym(module, "nongemm_create_device_library"));
    if (create == nullptr) throw Error(ErrorKind::kFailed, path + " is not the program's CUDA library");
    return create();
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
