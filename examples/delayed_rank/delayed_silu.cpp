// SiLU and GELU that take longer than PyTorch's on one rank of several: by EXAMPLE_DELAY_US microseconds a call, where
// RANK is EXAMPLE_DELAY_RANK. What the other ranks wait for is known then.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <torch/library.h>

#include <chrono>
#include <cstdlib>
#include <string>

namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

void delay() {
  static const std::chrono::nanoseconds kDelay = [] {
    const bool here = variable("RANK") == variable("EXAMPLE_DELAY_RANK");
    return std::chrono::nanoseconds(here ? std::atoll(variable("EXAMPLE_DELAY_US").c_str()) * 1000 : 0);
  }();
  const auto end = std::chrono::steady_clock::now() + kDelay;
  while (std::chrono::steady_clock::now() < end) {
  }
}

at::Tensor delayed_silu(const at::Tensor& x) {
  at::Tensor result = at::empty_like(x);
  at::silu_out(result, x);  // a schema of its own: not what is registered here
  delay();
  return result;
}

at::Tensor delayed_gelu(const at::Tensor& x, c10::string_view approximate) {
  at::Tensor result = at::empty_like(x);
  at::gelu_out(result, x, approximate);
  delay();
  return result;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("silu", delayed_silu);
  library.impl("gelu", delayed_gelu);
}
TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("silu", delayed_silu);
  library.impl("gelu", delayed_gelu);
}
