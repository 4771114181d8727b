#include "flows/cuda/tuned_int8.h"

#include <dlfcn.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "flows/cuda/check.h"
#include "flows/cuda/int8_product_sm90.h"
#include "record/quantized_kernels.h"

namespace nongemm::cuda {
namespace {

/// Found beside this library, by its run path; null without it.
NongemmInt8Product tuned() {
  static const NongemmInt8Product kFound = []() -> NongemmInt8Product {
    void* library = dlopen("libnongemm_cuda_sm90.so", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    const auto interface = reinterpret_cast<NongemmSm90Interface>(dlsym(library, "nongemm_sm90_interface"));
    if (interface == nullptr || std::string_view(interface()) != NONGEMM_SM90_INTERFACE) {
      throw Error(ErrorKind::kUnsupported, "libnongemm_cuda_sm90.so was built from other sources than this program",
                  "build its target, nongemm_cuda_sm90, again, or remove it");
    }
    return reinterpret_cast<NongemmInt8Product>(dlsym(library, "nongemm_int8_product_sm90"));
  }();
  return kFound;
}

bool is_hopper() {
  int device = 0;
  int major = 0;
  int minor = 0;
  check(cudaGetDevice(&device), "asking for the current device");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "asking for a device's capability");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "asking for a device's capability");
  return major == 9 && minor == 0;
}

}  // namespace

bool launch_tuned_int8_product(const Int8Product& product, cudaStream_t stream) {
  if (!tuned_kernel_takes_int8({product.rows, product.inner, product.columns}, product.dtype)) return false;
  return tuned() != nullptr && is_hopper() && tuned()(product, stream) == nullptr;
}

}  // namespace nongemm::cuda
