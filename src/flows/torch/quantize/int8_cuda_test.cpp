// LLM.int8 on a CUDA device; skipped, saying so, on machines without one. Operators against the host's: operators_test.
#include "flows/torch/quantize/int8_cuda.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <vector>

#include "flows/device/device.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/quantize/int8_operators.h"

namespace nongemm::torch_flow {
namespace {

/// A layer with more outlier columns than copies are kept for runs otherwise once that is known.
TEST(Int8OnCuda, ManyOutlierColumnsAreTheSameHoweverTheyAreSummed) {
  if (!has_nvidia_driver()) GTEST_SKIP() << "no NVIDIA driver on this machine";
  register_int8_operators();
  register_cuda_int8_operators();
  const c10::Device device = open_cuda_device(0);
  if (!device::library().has_kernels()) GTEST_SKIP() << "the CUDA library was built without nvcc";
  // Every third column has outliers, beyond the columns that one block of a kernel takes (2048), too.
  constexpr int kInner = 2304;
  at::Tensor values = (at::rand({200, kInner}) - 0.5) * 10;
  values.slice(1, 0, kInner, 3).mul_(4);
  const at::Tensor input = values.to(device, at::kHalf);
  const at::Tensor weight = ((at::rand({136, kInner}) - 0.5) * 250).to(device, at::kChar);
  const at::Tensor weight_scales = at::rand({136}).to(device);
  const auto call = [](const char* op, std::vector<c10::IValue> stack) {
    c10::Dispatcher::singleton().findSchemaOrThrow(op, "").callBoxed(stack);
    return stack;
  };
  const std::vector<c10::IValue> rows = call("nongemm::int8_quantize", {input, 6.0});
  ASSERT_EQ(rows[2].toTensor().cpu().const_data_ptr<int>()[0], kInner / 3) << "outlier columns";
  std::vector<at::Tensor> results;
  for (int i = 0; i < 3; ++i) {
    results.push_back(call("nongemm::int8_linear", {rows[0], weight, rows[1], weight_scales, c10::IValue(), input,
                                                    rows[2], rows[3], c10::IValue()})[0]
                          .toTensor()
                          .to(c10::kCPU, at::kFloat));  // waits, so that the next call knows
  }
  const float largest = results[0].abs().max().item<float>();
  for (const at::Tensor& result : results) {
    EXPECT_LT((result - results[0]).abs().max().item<float>(), 2e-3F * largest);
  }
  EXPECT_FALSE(results[1].equal(results[0])) << "the second call rounds both factors: it is not the first one's way";
}

}  // namespace
}  // namespace nongemm::torch_flow
