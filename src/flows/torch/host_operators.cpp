#include "flows/torch/host_operators.h"

#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <algorithm>

namespace nongemm::torch_flow {
namespace {

std::int64_t numel(const at::Tensor& self) { return self.numel(); }
std::int64_t int_constant(std::int64_t value) { return value; }
std::int64_t int_add(std::int64_t a, std::int64_t b) { return a + b; }
std::int64_t int_sub(std::int64_t a, std::int64_t b) { return a - b; }
std::int64_t int_mul(std::int64_t a, std::int64_t b) { return a * b; }

/// Rounded down, as Python's.
std::int64_t int_floor_divide(std::int64_t a, std::int64_t b) {
  TORCH_CHECK(b != 0, "division of a size by zero");
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::int64_t int_remainder(std::int64_t a, std::int64_t b) { return a - int_floor_divide(a, b) * b; }
std::int64_t int_min(std::int64_t a, std::int64_t b) { return std::min(a, b); }
std::int64_t int_max(std::int64_t a, std::int64_t b) { return std::max(a, b); }
bool int_greater(std::int64_t a, std::int64_t b) { return a > b; }

double float_of(double value) { return value; }
double float_add(double a, double b) { return a + b; }
double float_sub(double a, double b) { return a - b; }
double float_mul(double a, double b) { return a * b; }

/// As Python's: no infinity.
double float_divide(double a, double b) {
  TORCH_CHECK(b != 0, "division by zero");
  return a / b;
}

/// Python wraps and clamps bounds; only a slice that starts at 0 as written and reaches the end is left out.
bool slice_cuts(const at::Tensor& self, std::int64_t dim, std::int64_t start, std::int64_t end) {
  return start != 0 || end < self.size(dim);
}

}  // namespace

void register_host_operators() {
  static torch::Library library = [] {
    torch::Library fragment(torch::Library::FRAGMENT, "nongemm", std::nullopt, __FILE__, __LINE__);
    fragment.def("numel(Tensor self) -> int", numel);
    fragment.def("int_constant(int value) -> int", int_constant);
    fragment.def("int_add(int a, int b) -> int", int_add);
    fragment.def("int_sub(int a, int b) -> int", int_sub);
    fragment.def("int_mul(int a, int b) -> int", int_mul);
    fragment.def("int_floor_divide(int a, int b) -> int", int_floor_divide);
    fragment.def("int_remainder(int a, int b) -> int", int_remainder);
    fragment.def("int_min(int a, int b) -> int", int_min);
    fragment.def("int_max(int a, int b) -> int", int_max);
    fragment.def("int_greater(int a, int b) -> bool", int_greater);
    fragment.def("float(float value) -> float", float_of);
    fragment.def("float_add(float a, float b) -> float", float_add);
    fragment.def("float_sub(float a, float b) -> float", float_sub);
    fragment.def("float_mul(float a, float b) -> float", float_mul);
    fragment.def("float_divide(float a, float b) -> float", float_divide);
    fragment.def("slice_cuts(Tensor self, int dim, int start, int end) -> bool", slice_cuts);
    return fragment;
  }();
}

}  // namespace nongemm::torch_flow
