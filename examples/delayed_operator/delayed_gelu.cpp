// GELU on a CUDA device that comes late by a known time: EXAMPLE_HOST_US microseconds in which the host does nothing
// before it launches, EXAMPLE_DEVICE_US in which the device runs a kernel that does nothing; of every call, or of every
// EXAMPLE_EVERY-th. For trying whether a profile tells the one from the other.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace {

/// Spins by the device's global timer, as the driver compiles it: no CUDA compiler is needed for three instructions.
constexpr char kSpinKernel[] = R"(
.version 6.0
.target sm_60
.address_size 64
.visible .entry spin(.param .u64 ns)
{
  .reg .u64 %now, %end, %length;
  .reg .pred %early;
  ld.param.u64 %length, [ns];
  mov.u64 %end, %globaltimer;
  add.u64 %end, %end, %length;
again:
  mov.u64 %now, %globaltimer;
  setp.lt.u64 %early, %now, %end;
  @%early bra again;
  ret;
}
)";

double number(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0.0 : std::atof(text);
}

template <typename Function>
Function driver(const char* name) {
  static void* const kLibrary = dlopen("libcuda.so.1", RTLD_NOW);
  TORCH_CHECK(kLibrary != nullptr, "no NVIDIA driver: ", dlerror());
  void* const function = dlsym(kLibrary, name);
  TORCH_CHECK(function != nullptr, "the driver has no ", name);
  return reinterpret_cast<Function>(function);
}

/// The kernel in the current context, through the driver's C interface (CUDA driver API, module management).
void* spin_kernel() {
  void* module = nullptr;
  void* function = nullptr;
  TORCH_CHECK(driver<int (*)(void**, const void*)>("cuModuleLoadData")(&module, kSpinKernel) == 0, "cuModuleLoadData");
  TORCH_CHECK(driver<int (*)(void**, void*, const char*)>("cuModuleGetFunction")(&function, module, "spin") == 0,
              "cuModuleGetFunction");
  return function;
}

void spin_on_device(std::uint64_t ns) {
  using Launch =
      int (*)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
  static void* const kKernel = spin_kernel();
  static const auto kLaunch = driver<Launch>("cuLaunchKernel");
  void* arguments[] = {&ns};
  TORCH_CHECK(kLaunch(kKernel, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr) == 0, "cuLaunchKernel");
}

at::Tensor delayed_gelu(const at::Tensor& x, c10::string_view approximate) {
  static const std::chrono::nanoseconds kHost(static_cast<std::int64_t>(1e3 * number("EXAMPLE_HOST_US")));
  static const auto kDevice = static_cast<std::uint64_t>(1e3 * number("EXAMPLE_DEVICE_US"));
  static const auto kEvery = static_cast<std::uint64_t>(std::max(1.0, number("EXAMPLE_EVERY")));
  static std::uint64_t calls = 0;
  at::Tensor result = at::empty_like(x);
  if (++calls % kEvery != 0) return at::gelu_out(result, x, approximate);  // a schema of its own: not registered here
  const auto end = std::chrono::steady_clock::now() + kHost;
  while (std::chrono::steady_clock::now() < end) {
  }
  if (kDevice > 0) spin_on_device(kDevice);
  at::gelu_out(result, x, approximate);
  return result;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, CUDA, library) { library.impl("gelu", delayed_gelu); }
