#include "flows/torch/cuda/load.h"

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "flows/module.h"
#include "flows/places.h"
#include "flows/torch/bridge/errors.h"

namespace nongemm::torch_flow {
namespace {

/// The folder that libtorch_cpu came from.
std::filesystem::path torch_folder() {
  Dl_info info{};
  const auto* symbol = reinterpret_cast<const void*>(static_cast<at::Context& (*)()>(&at::globalContext));
  if (dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

void load() {
  // Beside libtorch_cpu, where its run path finds cuBLAS and cuDNN; or wherever the loader looks.
  const std::string beside = (torch_folder() / "libtorch_cuda.so").string();
  void* library = dlopen(beside.c_str(), RTLD_NOW | RTLD_GLOBAL);
  const std::string message = library == nullptr ? dlerror() : "";
  if (library == nullptr) library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    throw Error(ErrorKind::kUnsupported, "LibTorch's CUDA half cannot be loaded: " + message,
                "name a torch installation with CUDA in NONGEMM_TORCH and run ./nongemm to build for it");
  }
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorKind::kUnsupported, "LibTorch finds no CUDA device",
                "check that nvidia-smi lists one, and ask for cuda in a run of its own");
  }
}

}  // namespace

bool has_nvidia_driver() {
  return access("/proc/driver/nvidia/version", F_OK) == 0 || access("/dev/nvidiactl", F_OK) == 0;
}

void load_torch_cuda() {
  static const bool loaded = [] {
    with_errors("loading LibTorch's CUDA half", load);
    return true;
  }();
  (void)loaded;
}

c10::Device open_cuda_device(int index) {
  load_torch_cuda();
  return with_errors("opening the CUDA device", [&] {
    const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
    const int count = guard.deviceCount();
    if (index >= count) {
      throw Error(ErrorKind::kUnsupported,
                  "there is no device cuda:" + std::to_string(index) + ", LibTorch sees " + std::to_string(count),
                  "`nongemm list devices` shows what there is");
    }
    at::globalContext().lazyInitDevice(c10::kCUDA);
    const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
    guard.setDevice(device);
    return device;
  });
}

void* current_stream(c10::Device device) {
  const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
  return guard.getStreamNativeHandle(guard.getStream(device));
}

GraphCapture& graph_capture() {
  static GraphCapture* const capture = [] {
    load_torch_cuda();
    return reinterpret_cast<NongemmCreateGraphCapture>(module_entry(
        module_folder() + "/libnongemm_torch_cuda.so", "nongemm_create_graph_capture", "CUDA graphs are not available",
        "build again on this machine: the module is left out where CUDA's headers are missing"))();
  }();
  return *capture;
}

AllocatedBytes allocated_bytes(c10::Device device) {
  const auto stats = c10::getDeviceAllocator(c10::kCUDA)->getDeviceStats(device.index());
  const auto& all = stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  return {static_cast<std::uint64_t>(all.current), static_cast<std::uint64_t>(all.peak)};
}

void reset_peak(c10::Device device) { c10::getDeviceAllocator(c10::kCUDA)->resetPeakStats(device.index()); }

void release_cached_memory() { c10::getDeviceAllocator(c10::kCUDA)->emptyCache(); }

}  // namespace nongemm::torch_flow
