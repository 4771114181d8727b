#include "flows/torch/bridge/values.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/imag.h>
#include <gtest/gtest.h>

#include <complex>
#include <vector>

namespace nongemm::torch_flow {
namespace {

TEST(Values, ATensorIsReadAsItsElementsAre) {
  const at::Tensor numbers = at::arange(6, c10::kFloat).view({2, 3}).t();
  const HostTensor host = from_torch(numbers);
  EXPECT_EQ(host.shape, (Shape{3, 2}));
  EXPECT_EQ(std::vector(host.as<float>(), host.as<float>() + 6), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

// LibTorch marks a conjugate and its imaginary part, and leaves the elements as they were.
TEST(Values, MarkedConjugatesAndNegativesAreComputed) {
  const at::Tensor numbers = at::complex(at::arange(2, c10::kFloat), at::arange(2, 4, c10::kFloat));
  const at::Tensor conjugate = numbers.conj();
  ASSERT_TRUE(conjugate.is_conj());
  const HostTensor host = from_torch(conjugate);
  using Complex = std::complex<float>;
  EXPECT_EQ(std::vector(host.as<Complex>(), host.as<Complex>() + 2), (std::vector<Complex>{{0, -2}, {1, -3}}));
  const at::Tensor imaginary = at::imag(conjugate);
  ASSERT_TRUE(imaginary.is_neg());
  const HostTensor negative = from_torch(imaginary);
  EXPECT_EQ(std::vector(negative.as<float>(), negative.as<float>() + 2), (std::vector<float>{-2, -3}));
}

}  // namespace
}  // namespace nongemm::torch_flow
