#include "flows/device/device.h"
#include "flows/module.h"
#include "flows/places.h"

namespace nongemm::device {

Library& library() {
  static Library* const loaded = [] {
    return reinterpret_cast<NongemmCreateDeviceLibrary>(module_entry(
        module_folder() + "/libnongemm_cuda.so", "nongemm_create_device_library", "CUDA devices are out of reach",
        "set the program up on a machine with an NVIDIA driver, or with NONGEMM_WITH_CUDA=1"))();
  }();
  return *loaded;
}

}  // namespace nongemm::device
