// The CUDA library's entry point: device::Library on the CUDA runtime.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/clock.h"
#include "flows/cuda/check.h"
#include "flows/cuda/fused.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/kernels.h"
#include "flows/cuda/nvml.h"
#include "flows/cuda/outlier_counts.h"
#include "flows/cuda/queue_probe.h"
#include "flows/cuda/tracer.h"
#include "flows/cuda/tuned_int8.h"
#include "flows/device/device.h"

namespace nongemm::cuda {
namespace {

std::string hexadecimal(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

#ifdef NONGEMM_CUDA_KERNELS
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}
#else
[[noreturn]] void no_kernels() {
  throw Error(ErrorKind::kUnsupported, "the program's own CUDA kernels are missing",
              "build again with nvcc (the CUDA toolkit) on PATH");
}
#endif

class CudaLibrary : public device::Library {
 public:
  std::vector<DeviceDescription> devices() override {
    int count = 0;
    const cudaError_t result = cudaGetDeviceCount(&count);
    if (result == cudaErrorNoDevice || result == cudaErrorInsufficientDriver) return {};
    check(result, "looking for CUDA devices");
    int version = 0;
    check(cudaDriverGetVersion(&version), "asking for the driver's version");
    std::vector<DeviceDescription> devices;
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp properties{};
      check(cudaGetDeviceProperties(&properties, i), "asking for a device's properties");
      DeviceDescription device;
      device.index = i;
      device.name = properties.name;
      device.uuid = hexadecimal(properties.uuid);
      device.memory_bytes = properties.totalGlobalMem;
      device.multiprocessors = properties.multiProcessorCount;
      device.capability_major = properties.major;
      device.capability_minor = properties.minor;
      device.driver = driver_version();
      device.runtime = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
      devices.push_back(std::move(device));
    }
    return devices;
  }

  DeviceState state(int device) override {
    std::string& address = addresses_[device];
    if (address.empty()) {
      char text[32] = {};
      check(cudaDeviceGetPCIBusId(text, sizeof text, device), "asking for a device's PCI address");
      address = text;
    }
    return read_state(address);
  }

  device::Tracer& tracer() override { return process_tracer(); }

  void synchronise(int device) override {
    check(cudaSetDevice(device), "choosing a device");
    check(cudaDeviceSynchronize(), "waiting for the device");
  }

  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying to the host");
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the device");
  }

#ifdef NONGEMM_CUDA_KERNELS
  bool has_kernels() const override { return true; }
  void draw(const weights::Draw& draw, DType dtype, std::int64_t count, void* memory, void* stream) override {
    launch_draw(draw, dtype, count, memory, static_cast<cudaStream_t>(stream));
  }
  std::int64_t nms_scratch_bytes(std::int64_t count) const override {
    return nms_mask_words(count) * static_cast<std::int64_t>(sizeof(std::uint64_t));
  }
  void nms(const device::NmsArguments& arguments, void* stream) override {
    launch_nms(arguments, static_cast<cudaStream_t>(stream));
  }
  void roi_align(const device::RoiAlignArguments& arguments, void* stream) override {
    launch_roi_align(arguments, static_cast<cudaStream_t>(stream));
  }

  void norm_rows(const device::NormRows& rows, void* stream) override {
    launch_norm_rows(rows, static_cast<cudaStream_t>(stream));
  }
  void rotary(const device::Rotary& rotary, void* stream) override {
    launch_rotary(rotary, static_cast<cudaStream_t>(stream));
  }
  void gated_activation(const device::GatedActivation& gated, void* stream) override {
    launch_gated_activation(gated, static_cast<cudaStream_t>(stream));
  }
  void int8_rows(const device::Int8Rows& rows, void* stream) override {
    launch_int8_rows(rows, static_cast<cudaStream_t>(stream));
  }
  void int8_product(const device::Int8Product& product, void* stream) override {
    auto* const queue = static_cast<cudaStream_t>(stream);
    if (product.outliers != nullptr) launch_prepare_outliers(with_told(product), queue);
    if (!launch_tuned_int8_product(product, queue)) launch_int8_product(product, queue);
  }
  bool had_many_outliers(const device::Int8Product& product) const override {
    return can_unfold(product) && cuda::had_many_outliers(product);
  }
  void int8_unfold(const device::Int8Product& product, void* left, void* right, void* stream) override {
    launch_unfold(with_told(product), left, right, static_cast<cudaStream_t>(stream));
  }
  void int8_scale(const device::Int8Product& product, void* stream) override {
    launch_int8_scale(product, static_cast<cudaStream_t>(stream));
  }
  void add_outliers(const device::Int8Product& product, void* stream) override {
    launch_prepare_outliers(with_told(product), static_cast<cudaStream_t>(stream));
    launch_add_outliers(product, static_cast<cudaStream_t>(stream));
  }

  device::LaunchCost measure_launch(int device) override {
    synchronise(device);
    // A queue holds about a thousand launches: far fewer in a row never wait for the device.
    constexpr int kInARow = 200;
    std::vector<double> launches;
    std::vector<double> round_trips;
    for (int round = 0; round < 60; ++round) {
      std::int64_t begin = now_ns();
      for (int i = 0; i < kInARow; ++i) launch_nothing(nullptr);
      launches.push_back(static_cast<double>(now_ns() - begin) / kInARow);
      check(cudaDeviceSynchronize(), "an empty kernel");
      begin = now_ns();
      launch_nothing(nullptr);
      check(cudaStreamSynchronize(nullptr), "an empty kernel");
      round_trips.push_back(static_cast<double>(now_ns() - begin));
    }
    check(cudaGetLastError(), "an empty kernel");
    return {median(std::move(launches)), median(std::move(round_trips))};
  }

  QueueTimes queue_times(int device) override {
    const auto known = queue_times_.find(device);
    if (known != queue_times_.end()) return known->second;
    synchronise(device);
    return queue_times_.emplace(device, measure_queue()).first->second;
  }
#else
  bool has_kernels() const override { return false; }
  QueueTimes queue_times(int) override { no_kernels(); }
  void draw(const weights::Draw&, DType, std::int64_t, void*, void*) override { no_kernels(); }
  std::int64_t nms_scratch_bytes(std::int64_t) const override { no_kernels(); }
  void nms(const device::NmsArguments&, void*) override { no_kernels(); }
  void roi_align(const device::RoiAlignArguments&, void*) override { no_kernels(); }
  void norm_rows(const device::NormRows&, void*) override { no_kernels(); }
  void rotary(const device::Rotary&, void*) override { no_kernels(); }
  void gated_activation(const device::GatedActivation&, void*) override { no_kernels(); }
  void int8_rows(const device::Int8Rows&, void*) override { no_kernels(); }
  void int8_product(const device::Int8Product&, void*) override { no_kernels(); }
  bool had_many_outliers(const device::Int8Product&) const override { no_kernels(); }
  void int8_unfold(const device::Int8Product&, void*, void*, void*) override { no_kernels(); }
  void int8_scale(const device::Int8Product&, void*) override { no_kernels(); }
  void add_outliers(const device::Int8Product&, void*) override { no_kernels(); }
  device::LaunchCost measure_launch(int) override { no_kernels(); }
#endif

 private:
#ifdef NONGEMM_CUDA_KERNELS
  static device::Int8Product with_told(device::Int8Product product) {
    product.told = told_outliers(product);
    return product;
  }
#endif

  std::map<int, std::string> addresses_;
  std::map<int, QueueTimes> queue_times_;
};

}  // namespace
}  // namespace nongemm::cuda

/// One per process, whatever module asks.
extern "C" __attribute__((visibility("default"))) nongemm::device::Library* nongemm_create_device_library() {
  static auto* library = new nongemm::cuda::CudaLibrary;
  return library;
}
