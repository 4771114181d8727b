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

/// Which dimensions are transformed, in the operator's order. Throws for one that does not exist or stands twice, and
/// for one counted from the end: LibTorch takes the place in memory that it names for a size.
std::vector<std::size_t> transformed(const Operands& operands) {
  const Shape& shape = operands.tensor(0).shape;
  std::vector<std::size_t> dims;
  for (const std::int64_t dim : operands.integers(1)) {
    const std::size_t at = sized_dim(dim, shape);
    if (dim < 0) {
      throw Error(ErrorKind::kBadInput,
                  operands.node().op + ": dimension " + std::to_string(dim) + " is not counted from 0");
    }
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
  const std::int64_t size = operands.integer(3);
  const std::int64_t half = shape[dims.back()];
  if (size != kDynamic && (size < 1 || (half != kDynamic && half != size / 2 + 1))) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": " + std::to_string(half) + " are not the half of " +
                                          std::to_string(size) + " numbers");
  }
  shape[dims.back()] = size;
  return {laid_out(between, part_of(self.dtype), shape, {dims.back()}, 0)};
}

// --- torch.fft: the same, of an operand that is first cut or filled up with zeros
// --------------------------------------

enum class Spectrum { kWhole, kHalfGiven, kHalfTaken };

struct Transform {
  Type input;  // as it is transformed
  std::vector<std::size_t> dims;
  std::int64_t last = 0;  // size of the result along the last of `dims`
};

/// Sizes that are given for the transformed dimensions, kDynamic where the operand's own stays.
Shape sizes_given(const Operands& operands, bool many, std::size_t count) {
  if (!operands.has(1)) return Shape(count, -1);
  return many ? operands.integers(1) : Shape{operands.integer(1)};
}

/// (self, sizes, dims, norm), lists where it is `many` dimensions: all, or the last ones of which sizes are given.
Transform read_transform(const Operands& operands, bool many, Spectrum spectrum) {
  Transform transform;
  transform.input = operands.tensor(0, 1);
  Type& input = transform.input;
  input.alias = false;
  const std::size_t rank = input.shape.size();
  Shape dims;
  if (!many) {
    dims = {operands.integer(2)};
  } else if (operands.has(2)) {
    dims = operands.integers(2);
  } else {
    const std::size_t count = operands.has(1) ? operands.integers(1).size() : rank;
    for (std::size_t i = 0; i < count; ++i)
      dims.push_back(static_cast<std::int64_t>(i) - static_cast<std::int64_t>(count));
  }
  Shape sizes = sizes_given(operands, many, dims.size());
  if (sizes.size() != dims.size() || dims.empty()) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": as many sizes as dimensions are wanted, at least one");
  }
  for (const std::int64_t dim : dims) transform.dims.push_back(sized_dim(dim, input.shape));
  const std::int64_t own = input.shape[transform.dims.back()];
  transform.last = sizes.back() != -1 ? sizes.back() : own;
  if (spectrum == Spectrum::kHalfTaken) {
    if (sizes.back() == -1) transform.last = own == kDynamic ? kDynamic : 2 * (own - 1);
    sizes.back() = transform.last == kDynamic ? kDynamic : transform.last / 2 + 1;
  }
  bool filled = false;
  input.strides = strides_of(input);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::int64_t& size = input.shape[transform.dims[i]];
    if (sizes[i] == -1) continue;
    filled = filled || sizes[i] > size;
    size = sizes[i];
  }
  if (filled || is_contiguous(input)) input.strides.clear();
  if (!is_floating(input.dtype) && !is_complex(input.dtype)) input.dtype = DType::kFloat32;
  return transform;
}

template <bool kMany, Spectrum kSpectrum>
std::vector<Type> infer_transform(const Operands& operands) {
  const auto [input, dims, last] = read_transform(operands, kMany, kSpectrum);
  const DType complex = is_complex(input.dtype) ? input.dtype : complex_of(input.dtype);
  const std::size_t others = dims.size() - 1;
  Shape shape = input.shape;
  if (kSpectrum == Spectrum::kHalfGiven) {
    shape[dims.back()] = last == kDynamic ? kDynamic : last / 2 + 1;
    return {laid_out(input, complex, shape, dims, others)};
  }
  if (kSpectrum == Spectrum::kWhole)
    return {laid_out(input, complex, shape, dims, is_complex(input.dtype) || kMany ? others + 1 : others)};
  Type between = input;
  if (others > 0) between = laid_out(input, complex, shape, {dims.begin(), dims.end() - 1}, others);
  shape[dims.back()] = last;
  return {laid_out(between, part_of(complex), shape, {dims.back()}, 0)};
}

/// 5 N log2 N, half of it where one side is real; several dimensions of real numbers are made complex ones first.
template <bool kMany, Spectrum kSpectrum>
Cost cost_of_transform(const Operands& operands, std::span<const Type> results) {
  const auto [input, dims, last] = read_transform(operands, kMany, kSpectrum);
  const bool real = kSpectrum != Spectrum::kWhole || (!kMany && !is_complex(input.dtype));
  Shape full = input.shape;
  full[dims.back()] = last;
  double length = 1;
  for (const std::size_t dim : dims) length *= full[dim] == kDynamic ? kUnknownWork : static_cast<double>(full[dim]);
  Cost cost = traffic(operands, results);
  const double all = count_of(tensor_type(input.dtype, full));
  cost.flops = all == 0 ? 0.0 : (real ? 2.5 : 5.0) * all * std::log2(length);
  return cost;
}

// --- the operators of core ATen
// ----------------------------------------------------------------------------------------

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

constexpr OpEntry transform(std::string_view schema, InferRule infer, CostRule cost = cost_transform) {
  return {.schema = schema,
          .group = Group::kReduction,
          .variant = "FFT",
          .traits = {.single_operand = true, .reduction = true},
          .infer = infer,
          .cost = cost,
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
    transform("aten::fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor",
              infer_transform<false, Spectrum::kWhole>, cost_of_transform<false, Spectrum::kWhole>),
    transform("aten::fft_fft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kWhole>, cost_of_transform<true, Spectrum::kWhole>),
    transform("aten::fft_fftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kWhole>, cost_of_transform<true, Spectrum::kWhole>),
    transform("aten::fft_ifft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor",
              infer_transform<false, Spectrum::kWhole>, cost_of_transform<false, Spectrum::kWhole>),
    transform("aten::fft_ifft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kWhole>, cost_of_transform<true, Spectrum::kWhole>),
    transform("aten::fft_ifftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kWhole>, cost_of_transform<true, Spectrum::kWhole>),
    transform("aten::fft_rfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor",
              infer_transform<false, Spectrum::kHalfGiven>, cost_of_transform<false, Spectrum::kHalfGiven>),
    transform("aten::fft_rfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kHalfGiven>, cost_of_transform<true, Spectrum::kHalfGiven>),
    transform("aten::fft_rfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kHalfGiven>, cost_of_transform<true, Spectrum::kHalfGiven>),
    transform("aten::fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor",
              infer_transform<false, Spectrum::kHalfTaken>, cost_of_transform<false, Spectrum::kHalfTaken>),
    transform("aten::fft_irfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kHalfTaken>, cost_of_transform<true, Spectrum::kHalfTaken>),
    transform("aten::fft_irfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor",
              infer_transform<true, Spectrum::kHalfTaken>, cost_of_transform<true, Spectrum::kHalfTaken>),
    view("aten::view_as_real(Tensor(a) self) -> Tensor(a)", "ViewAsReal", infer_view_as_real),
    view("aten::view_as_complex(Tensor(a) self) -> Tensor(a)", "ViewAsComplex", infer_view_as_complex),
    view("aten::real(Tensor(a) self) -> Tensor(a)", "Real", infer_parts),
    view("aten::imag(Tensor(a) self) -> Tensor(a)", "Imaginary", infer_imaginary),
};

}  // namespace

std::span<const OpEntry> transform_entries() { return kEntries; }

}  // namespace nongemm
