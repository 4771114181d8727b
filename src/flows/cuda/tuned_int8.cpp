#include "flows/cuda/tuned_int8.h"

#include <dlfcn.h>

#include <atomic>
#include <string>
#include <string_view>

#include "base/error.h"
#include "flows/cuda/check.h"
#include "flows/cuda/int8_further.h"
#include "flows/cuda/int8_product_sm90.h"
#include "flows/cuda/outlier_counts.h"
#include "record/quantized_kernels.h"

namespace nongemm::cuda {
namespace {

struct Tuned {
  NongemmInt8Product product = nullptr;
  NongemmInt8Product further = nullptr;
  NongemmFurtherWorkspace further_workspace = nullptr;
};

/// Found beside this library, by its run path.
const Tuned& tuned() {
  static const Tuned kFound = [] {
    void* library = dlopen("libnongemm_cuda_sm90.so", RTLD_NOW | RTLD_LOCAL);
    Tuned found;
    if (library == nullptr) return found;
    const auto interface = reinterpret_cast<NongemmSm90Interface>(dlsym(library, "nongemm_sm90_interface"));
    if (interface == nullptr || std::string_view(interface()) != NONGEMM_SM90_INTERFACE) {
      throw Error(ErrorKind::kUnsupported, "libnongemm_cuda_sm90.so was built from other sources than this program",
                  "build its target, nongemm_cuda_sm90, again, or remove it");
    }
    found.product = reinterpret_cast<NongemmInt8Product>(dlsym(library, "nongemm_int8_product_sm90"));
    found.further = reinterpret_cast<NongemmInt8Product>(dlsym(library, "nongemm_further_product_sm90"));
    found.further_workspace =
        reinterpret_cast<NongemmFurtherWorkspace>(dlsym(library, "nongemm_further_workspace_sm90"));
    return found;
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
  if (!is_taken(product) || tuned().product == nullptr || !is_hopper()) return false;
  return tuned().product(product, stream) == nullptr;
}

std::int64_t further_scratch_bytes(const Int8Product& product) {
  const bool is_there = tuned().further != nullptr && tuned().further_workspace != nullptr;
  if (!is_there || !is_taken(product) || !is_hopper()) return 0;
  // A kernel that finds nothing to do takes 7 us all the same: it is launched for layers that had use for it before.
  if (std::atomic_ref(*told_outliers(product)).load(std::memory_order_relaxed) <= kGatheredOutliers) return 0;
  return static_cast<std::int64_t>(further_bytes(product)) + tuned().further_workspace(product);
}

void launch_further_product(const Int8Product& product, cudaStream_t stream) {
  const char* why = tuned().further(product, stream);
  if (why != nullptr) throw Error(ErrorKind::kFailed, std::string("the product of outlier columns: ") + why);
}

}  // namespace nongemm::cuda
