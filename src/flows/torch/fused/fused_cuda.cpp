#include "flows/torch/fused/fused_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <optional>
#include <tuple>
#include <utility>

#include "flows/device/device.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/fused/rows.h"

namespace nongemm::torch_flow {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

void* stream_of(const at::Tensor& tensor) { return current_stream(tensor.device()); }

/// [columns], of the rows' type or fp32.
at::Tensor row_parameter(const OptionalTensor& vector, const at::Tensor& input) {
  if (!vector || !vector->defined()) return {};
  TORCH_CHECK(vector->dim() == 1 && vector->size(0) == input.size(-1), "a weight of ", vector->sizes(), " for ",
              input.sizes());
  const bool same = vector->scalar_type() == input.scalar_type() || vector->scalar_type() == at::kFloat;
  return (same ? *vector : vector->to(at::kFloat)).contiguous();
}

/// A norm's tensors, alive until it is launched.
struct NormTensors {
  NormTensors(const at::Tensor& given, const OptionalTensor& of_weight, const OptionalTensor& of_bias, double eps)
      : input(as_rows(given)), weight(row_parameter(of_weight, given)), bias(row_parameter(of_bias, given)) {
    TORCH_CHECK(given.dim() >= 1, "rows of at least one dimension");
    TORCH_CHECK(!bias.defined() || !weight.defined() || bias.scalar_type() == weight.scalar_type(),
                "weight and bias of one type");
    output = at::empty_like(input);
    rows.input = input.const_data_ptr();
    rows.output = output.mutable_data_ptr();
    rows.dtype = from_torch(input.scalar_type());
    const at::Tensor& parameter = weight.defined() ? weight : bias;
    rows.weight_dtype = parameter.defined() ? from_torch(parameter.scalar_type()) : rows.dtype;
    if (weight.defined()) rows.weight = weight.const_data_ptr();
    if (bias.defined()) rows.bias = bias.const_data_ptr();
    rows.rows = row_count(input);
    rows.columns = input.size(-1);
    rows.epsilon = static_cast<float>(eps);
  }
  void add(const at::Tensor& more) {
    TORCH_CHECK(more.sizes() == input.sizes() && more.scalar_type() == input.scalar_type(), "a sum of ", input.sizes(),
                " and ", more.sizes());
    other = as_rows_like(more, input);
    sum = at::empty_like(input);
    rows.other = other.const_data_ptr();
    rows.sum = sum.mutable_data_ptr();
  }
  at::Tensor input, weight, bias, output, other, sum;
  device::NormRows rows;
};

at::Tensor rms_norm(const at::Tensor& input, const at::Tensor& weight, double eps, double offset, bool wide) {
  NormTensors norm(input, weight, std::nullopt, eps);
  norm.rows.offset = static_cast<float>(offset);
  norm.rows.wide = wide;
  device::library().norm_rows(norm.rows, stream_of(input));
  return in_order_of(norm.output, input);
}

std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& self, const at::Tensor& other,
                                                const at::Tensor& weight, double eps, double offset, bool wide) {
  NormTensors norm(self, weight, std::nullopt, eps);
  norm.add(other);
  norm.rows.offset = static_cast<float>(offset);
  norm.rows.wide = wide;
  device::library().norm_rows(norm.rows, stream_of(self));
  return {in_order_of(norm.sum, self), in_order_of(norm.output, self)};
}

std::tuple<at::Tensor, at::Tensor> add_layer_norm(const at::Tensor& self, const at::Tensor& other,
                                                  const OptionalTensor& weight, const OptionalTensor& bias,
                                                  double eps) {
  NormTensors norm(self, weight, bias, eps);
  norm.add(other);
  norm.rows.layer_norm = true;
  device::library().norm_rows(norm.rows, stream_of(self));
  return {in_order_of(norm.sum, self), in_order_of(norm.output, self)};
}

at::Tensor with_dense_rows(const at::Tensor& tensor) {
  return tensor.stride(-1) == 1 || tensor.size(-1) == 1 ? tensor : tensor.contiguous();
}

at::Tensor rotary(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin, bool wide, bool contiguous) {
  const std::int64_t dims = given.dim();
  const std::int64_t width = given.size(-1);
  TORCH_CHECK(dims >= 2 && dims <= 4, "heads of 2 to 4 dimensions");
  TORCH_CHECK(width % 2 == 0 && (cos.size(-1) == width || 2 * cos.size(-1) == width) && sin.size(-1) == cos.size(-1) &&
                  cos.scalar_type() == given.scalar_type() && sin.scalar_type() == given.scalar_type(),
              "tables of ", cos.sizes(), " and ", sin.sizes(), " for ", given.sizes());
  const at::Tensor input = with_dense_rows(given);
  at::Tensor output = contiguous ? at::empty(given.sizes(), given.options()) : at::empty_like(given);
  const at::Tensor target = with_dense_rows(output);
  std::vector<std::int64_t> shape = given.sizes().vec();
  shape.back() = cos.size(-1);
  const at::Tensor cosine = with_dense_rows(cos).expand(shape);
  const at::Tensor sine = with_dense_rows(sin).expand(shape);
  device::Rotary arguments{.input = input.const_data_ptr(),
                           .cosine = cosine.const_data_ptr(),
                           .sine = sine.const_data_ptr(),
                           .output = target.mutable_data_ptr(),
                           .dtype = from_torch(input.scalar_type()),
                           .width = width,
                           .angles = cos.size(-1),
                           .wide = wide};
  for (std::int64_t dim = 0; dim + 1 < dims; ++dim) {
    const auto at = static_cast<std::size_t>(dim + 4 - dims);
    arguments.sizes[at] = given.size(dim);
    arguments.input_strides[at] = input.stride(dim);
    arguments.output_strides[at] = target.stride(dim);
    arguments.cosine_strides[at] = cosine.stride(dim);
    arguments.sine_strides[at] = sine.stride(dim);
  }
  device::library().rotary(arguments, stream_of(given));
  if (!target.is_same(output)) output.copy_(target);
  return output;
}

/// Rows whose beginnings are equally far apart, dense in themselves.
struct SpacedRows {
  explicit SpacedRows(const at::Tensor& given) : tensor(given) {
    if (tensor.is_contiguous()) {
      stride = tensor.dim() == 0 ? 1 : tensor.size(-1);
      return;
    }
    if (!evenly_spaced()) tensor = tensor.contiguous();
    stride = tensor.is_contiguous() ? tensor.size(-1) : tensor.stride(-2);
  }
  bool evenly_spaced() const {
    if (tensor.dim() < 2 || tensor.stride(-1) != 1) return false;
    for (std::int64_t dim = tensor.dim() - 2; dim > 0; --dim) {
      if (tensor.size(dim - 1) != 1 && tensor.stride(dim - 1) != tensor.stride(dim) * tensor.size(dim)) return false;
    }
    return true;
  }
  at::Tensor tensor;
  std::int64_t stride = 0;
};

device::GatedActivation::Kind kind_of(c10::string_view activation) {
  if (activation == "silu") return device::GatedActivation::Kind::kSilu;
  if (activation == "gelu") return device::GatedActivation::Kind::kGelu;
  TORCH_CHECK(activation == "gelu_tanh", "no activation '", activation, "'");
  return device::GatedActivation::Kind::kGeluTanh;
}

at::Tensor gated_activation(const at::Tensor& gate, const at::Tensor& other, c10::string_view activation) {
  TORCH_CHECK(gate.sizes() == other.sizes() && gate.scalar_type() == other.scalar_type(), "a gate of ", gate.sizes(),
              " for ", other.sizes());
  device::GatedActivation arguments;
  arguments.kind = kind_of(activation);
  arguments.dtype = from_torch(gate.scalar_type());
  at::Tensor output = at::empty_like(gate);
  // Both dense in one order: element by element, whatever the order is.
  const bool alike = gate.strides() == other.strides() && gate.is_non_overlapping_and_dense();
  const SpacedRows from = alike ? SpacedRows(gate.as_strided({gate.numel()}, {1})) : SpacedRows(gate);
  const SpacedRows by = alike ? SpacedRows(other.as_strided({gate.numel()}, {1})) : SpacedRows(other);
  at::Tensor target = alike || output.is_contiguous() ? output : at::empty(gate.sizes(), gate.options());
  arguments.gate = from.tensor.const_data_ptr();
  arguments.other = by.tensor.const_data_ptr();
  arguments.output = target.mutable_data_ptr();
  arguments.columns = from.tensor.dim() == 0 ? 1 : from.tensor.size(-1);
  arguments.rows = arguments.columns == 0 ? 0 : gate.numel() / arguments.columns;
  arguments.gate_stride = from.stride;
  arguments.other_stride = by.stride;
  device::library().gated_activation(arguments, stream_of(gate));
  if (!target.is_same(output)) output.copy_(target);
  return output;
}

}  // namespace

void register_cuda_fused_operators() {
  static bool registered = false;  // for every session that opens a device it is asked for again
  if (std::exchange(registered, true)) return;
  static torch::Library own(torch::Library::IMPL, "nongemm", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  own.impl("rms_norm", torch::CppFunction::makeFromUnboxedFunction(rms_norm));
  own.impl("add_rms_norm", torch::CppFunction::makeFromUnboxedFunction(add_rms_norm));
  own.impl("add_layer_norm", torch::CppFunction::makeFromUnboxedFunction(add_layer_norm));
  own.impl("rotary", torch::CppFunction::makeFromUnboxedFunction(rotary));
  own.impl("gated_activation", torch::CppFunction::makeFromUnboxedFunction(gated_activation));
}

}  // namespace nongemm::torch_flow
