// GELU that takes longer than PyTorch's by EXAMPLE_SLOW_US microseconds a call: a change whose size is known, for
// trying what a comparison finds.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <torch/library.h>

#include <chrono>
#include <cstdlib>

namespace {

std::chrono::nanoseconds delay() {
  const char* text = std::getenv("EXAMPLE_SLOW_US");
  return std::chrono::nanoseconds(static_cast<std::int64_t>(1e3 * (text == nullptr ? 0.0 : std::atof(text))));
}

at::Tensor slowed_gelu(const at::Tensor& x, c10::string_view approximate) {
  static const std::chrono::nanoseconds kDelay = delay();
  at::Tensor result = at::empty_like(x);
  at::gelu_out(result, x, approximate);  // a schema of its own: not what is registered here
  const auto end = std::chrono::steady_clock::now() + kDelay;
  while (std::chrono::steady_clock::now() < end) {
  }
  return result;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, CPU, library) { library.impl("gelu", slowed_gelu); }
