// Elements of host tensors as numbers, whatever their type: the one place that knows how bytes become values and back.
#pragma once

#include <cstddef>
#include <vector>

#include "base/tensor.h"

namespace nongemm {

/// Element `i` of dense memory. Whole numbers beyond 2^53 are rounded.
using ElementReader = double (*)(const std::byte* data, std::size_t i);
/// Floating-point types round to nearest even; whole types cut off fractions and stop at their ends, NaN becomes 0;
/// bool is true for everything but 0.
using ElementWriter = void (*)(std::byte* data, std::size_t i, double value);

/// Both throw Error(kFailed) for kUndefined.
ElementReader element_reader(DType dtype);
ElementWriter element_writer(DType dtype);

double element(const HostTensor& tensor, std::size_t i);
std::vector<double> elements_of(const HostTensor& tensor);

/// A tensor of these numbers; there have to be as many as the shape says.
HostTensor tensor_from(DType dtype, Shape shape, const std::vector<double>& values);
HostTensor scalar_tensor(double value, DType dtype);

/// What a tensor of this type keeps of a number.
double rounded_to(DType dtype, double value);

/// The tensor itself where it has the type. Whole numbers stay exact between whole types.
HostTensor converted(const HostTensor& tensor, DType dtype);

}  // namespace nongemm
