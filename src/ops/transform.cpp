// Fourier transforms, and complex numbers as pairs of real ones. ONNX has DFT on real tensors of pairs, but no other
// operator that takes complex numbers: transforms are refused by name there.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_lowering.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

/// Which dimensions are transformed, in the operator's order. Throws for one that does not exist or stands twice.
std::vector<std::size_t> transformed(const Operands& operands) {
  const Shape& shape = operands.tensor(0).shape;
  std::vector<std::size_t> dims;
  for (const std::int64_t dim : operands.integers(1)) {
    const std::size_t at = sized_dim(dim, shape);
    if (std::find(dims.begin(), dims.end(), at) != dims.end()) {
      throw Error(ErrorKind::kBadInput, operands.node().op + ": dimension " + std::to_string(dim) + " stands twice");
    }
    dims.push_back(at);
  }
  return dims;
}

/// The order in which the transform of the processor's library (MKL) leaves a result in memory: the other dimensions
/// outside, as they lie in the operand, and the transformed ones inside.
/// @param sorted how many of `dims`, from the first on, the library sorts likewise
Type laid_out(const Type& self, DType dtype, Shape shape, std::vector<std::size_t> dims, std::size_t sorted) {
  const Shape strides = strides_of(self);
  const auto outer = [&](std::size_t a, std::size_t b) { return strides[a] > strides[b]; };
  std::stable_sort(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(sorted), outer);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (std::find(dims.begin(), dims.end(), i) == dims.end()) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), outer);
  order.insert(order.end(), dims.begin(), dims.end());
  Type result = tensor_type(dtype, std::move(shape));
  result.strides.assign(order.size(), 1);
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const std::int64_t size = result.shape[order[i]];
    result.strides[order[i]] = step;
    step = size == kDynamic || step == kDynamic ? kDynamic : step * std::max<std::int64_t>(size, 1);
  }
  if (step == kDynamic || is_contiguous(result)) result.strides.clear();
  return result;
}

/// (real self, dims, normalization, onesided): of the last of `dims` one half is kept, the other is its conjugate.
std::vector<Type> infer_real_to_complex(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<std::size_t> dims = transformed(operands);
  Shape shape = self.shape;
  if (!dims.empty() && operands.flag(3) && shape[dims.back()] != kDynamic) {
    shape[dims.back()] = shape[dims.back()] / 2 + 1;
  }
  return {laid_out(self, complex_of(self.dtype), shape, dims, dims.empty() ? 0 : dims.size() - 1)};
}

std::vector<Type> infer_complex_to_complex(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<std::size_t> dims = transformed(operands);
  return {laid_out(self, self.dtype, self.shape, dims, dims.size())};
}

/// (complex self, dims, normalization, size of the last of `dims` in the result). The library transforms the other
/// dimensions first, by themselves.
std::vector<Type> infer_complex_to_real(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<std::size_t> dims = transformed(operands);
  if (dims.empty()) return {tensor_type(part_of(self.dtype), self.shape)};
  Type between = self;
  if (dims.size() > 1)
    between = laid_out(self, self.dtype, self.shape, {dims.begin(), dims.end() - 1}, dims.size() - 1);
  Shape shape = self.shape;
  shape[dims.back()] = operands.integer(3);
  return {laid_out(between, part_of(self.dtype), shape, {dims.back()}, 0)};
}

/// By the usual count of a fast transform, 5 N log2 N for N complex numbers and half of it for N real ones (FFTW's
/// "mflops", Cooley and Tukey's radix 2), whatever the library really does. N are the numbers of a transform, of which
/// there are as many as the other dimensions say.
Cost cost_transform(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& self = operands.tensor(0);
  const bool real = !is_complex(self.dtype) || !is_complex(results[0].dtype);
  const Shape& full = is_complex(self.dtype) ? results[0].shape : self.shape;
  double length = 1;
  for (const std::size_t dim : transformed(operands)) {
    length *= full[dim] == kDynamic ? kUnknownWork : static_cast<double>(full[dim]);
  }
  const double all = count_of(tensor_type(self.dtype, full));
  // No number, no work: 0 log2 0 would be none.
  cost.flops = all == 0 ? 0.0 : (real ? 2.5 : 5.0) * all * std::log2(length);
  return cost;
}

/// A complex number as two real ones beside each other.
std::vector<Type> infer_view_as_real(const Operands& operands) {
  const Type& self = operands.tensor(0);
  if (!is_complex(self.dtype)) throw Error(ErrorKind::kBadInput, operands.node().op + " takes complex numbers");
  Type result = tensor_type(part_of(self.dtype), self.shape);
  result.strides = strides_of(self);
  for (std::int64_t& stride : result.strides) stride = stride == kDynamic ? kDynamic : 2 * stride;
  result.shape.push_back(2);
  result.strides.push_back(1);
  if (is_contiguous(result)) result.strides.clear();
  result.alias = true;
  return {result};
}

std::vector<Type> infer_view_as_complex(const Operands& operands) {
  const Type& self = operands.tensor(0, 1);
  if (self.shape.back() != 2 || !is_floating(self.dtype)) {
    throw Error(ErrorKind::kBadInput, operands.node().op + " takes pairs of real numbers: a last dimension of 2");
  }
  Type result = tensor_type(complex_of(self.dtype), {self.shape.begin(), self.shape.end() - 1});
  const Shape strides = strides_of(self);
  result.strides.assign(strides.begin(), strides.end() - 1);
  for (std::int64_t& stride : result.strides) stride = stride == kDynamic ? kDynamic : stride / 2;
  if (is_contiguous(result)) result.strides.clear();
  result.alias = true;
  return {result};
}

/// The real or the imaginary parts where they lie: every second number.
std::vector<Type> infer_parts(const Operands& operands) {
  const Type& self = operands.tensor(0);
  if (!is_complex(self.dtype)) return alias_of_first(operands);
  Type result = tensor_type(part_of(self.dtype), self.shape);
  result.strides = strides_of(self);
  for (std::int64_t& stride : result.strides) stride = stride == kDynamic ? kDynamic : 2 * stride;
  result.alias = true;
  return {result};
}

std::vector<Type> infer_imaginary(const Operands& operands) {
  if (!is_complex(operands.tensor(0).dtype)) {
    throw Error(ErrorKind::kBadInput, operands.node().op + " takes complex numbers");
  }
  return infer_parts(operands);
}

void refuse_complex(OnnxLowering& onnx) { onnx.unsupported("complex numbers"); }

constexpr OpEntry transform(std::string_view schema, InferRule infer) {
  return {.schema = schema,
          .group = Group::kReduction,
          .variant = "FFT",
          .traits = {.single_operand = true, .reduction = true},
          .infer = infer,
          .cost = cost_transform,
          .complex_work = 1,  // its count is of real operations
          .lower = refuse_complex};
}

constexpr OpEntry view(std::string_view schema, std::string_view variant, InferRule infer) {
  return {.schema = schema,
          .group = Group::kMemoryLayout,
          .variant = variant,
          .traits = {.single_operation = true, .single_operand = true},
          .infer = infer,
          .cost = moves_unless_view,
          .complex_work = 1,
          .lower = refuse_complex};
}

constexpr std::array kEntries = {
    transform("aten::_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor",
              infer_real_to_complex),
    transform("aten::_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor",
              infer_complex_to_complex),
    transform("aten::_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor",
              infer_complex_to_real),
    view("aten::view_as_real(Tensor(a) self) -> Tensor(a)", "ViewAsReal", infer_view_as_real),
    view("aten::view_as_complex(Tensor(a) self) -> Tensor(a)", "ViewAsComplex", infer_view_as_complex),
    view("aten::real(Tensor(a) self) -> Tensor(a)", "Real", infer_parts),
    view("aten::imag(Tensor(a) self) -> Tensor(a)", "Imaginary", infer_imaginary),
};

}  // namespace

std::span<const OpEntry> transform_entries() { return kEntries; }

}  // namespace nongemm
