#include "flows/cuda/tuned_int8.h"

#include <dlfcn.h>

#include "flows/cuda/check.h"
#include "flows/cuda/int8_product_sm90.h"
#include "record/quantized_kernels.h"

namespace nongemm::cuda {
namespace {

/// Found beside this library, by its run path.
NongemmInt8Product tuned_product() {
  static const auto kFound = [] {
    void* library = dlopen("libnongemm_cuda_sm90.so", RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<NongemmInt8Product>(library != nullptr ? dlsym(library, "nongemm_int8_product_sm90")
                                                                   : nullptr);
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

bool is_taken(const Int8Product& product) {
  return tuned_kernel_takes_int8({product.rows, product.inner, product.columns}, product.dtype);
}

}  // namespace

bool launch_tuned_int8_product(const Int8Product& product, cudaStream_t stream) {
  if (!is_taken(product) || tuned_product() == nullptr || !is_hopper()) return false;
  return tuned_product()(product, stream) == nullptr;
}

}  // namespace nongemm::cuda
