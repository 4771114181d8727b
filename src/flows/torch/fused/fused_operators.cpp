#include "flows/torch/fused/fused_operators.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <torch/library.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include "base/half.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/fused/fused_kernels.h"
#include "flows/torch/fused/rows.h"

namespace nongemm::torch_flow {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

constexpr std::int64_t kElementsPerPart = 32768;

/// A tensor's memory by rows, to and from fp32.
class Rows {
 public:
  explicit Rows(const at::Tensor& tensor)
      : dtype_(from_torch(tensor.scalar_type())),
        columns_(tensor.size(-1)),
        data_(static_cast<std::byte*>(tensor.data_ptr())) {}

  void read(std::int64_t row, float* values) const {
    convert_floating(dtype_, at(row), DType::kFloat32, reinterpret_cast<std::byte*>(values), count());
  }
  void write(std::int64_t row, const float* values) const {
    convert_floating(DType::kFloat32, reinterpret_cast<const std::byte*>(values), dtype_, at(row), count());
  }

 private:
  std::byte* at(std::int64_t row) const { return data_ + row * columns_ * static_cast<std::int64_t>(size_of(dtype_)); }
  std::size_t count() const { return static_cast<std::size_t>(columns_); }

  DType dtype_;
  std::int64_t columns_;
  std::byte* data_;
};

/// Calls `run(row, line)` for all rows, with a line of that many numbers to work in.
template <typename Run>
void for_each_row(std::int64_t rows, std::int64_t columns, std::int64_t scratch, Run&& run) {
  const std::int64_t part = std::max<std::int64_t>(kElementsPerPart / std::max<std::int64_t>(columns, 1), 1);
  at::parallel_for(0, rows, part, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> line(static_cast<std::size_t>(scratch));
    for (std::int64_t row = begin; row < end; ++row) run(row, line.data());
  });
}

void check_floating(const at::Tensor& input) {
  const at::ScalarType type = input.scalar_type();
  TORCH_CHECK(input.dim() >= 1 && (type == at::kFloat || type == at::kHalf || type == at::kBFloat16),
              "rows of fp32, fp16 or bf16");
}

/// [columns] in fp32, or nothing.
at::Tensor row_of_floats(const OptionalTensor& vector, const at::Tensor& input) {
  if (!vector || !vector->defined()) return {};
  TORCH_CHECK(vector->dim() == 1 && vector->size(0) == input.size(-1), "a weight of ", vector->sizes(), " for ",
              input.sizes());
  return vector->to(at::kFloat).contiguous();
}

const float* floats(const at::Tensor& vector) { return vector.defined() ? vector.const_data_ptr<float>() : nullptr; }

/// @param other added before, if it is given; @param sum takes the sum then
at::Tensor normalized(const at::Tensor& input, const at::Tensor& other, const at::Tensor& sum,
                      const NormParameters& parameters) {
  at::Tensor result = at::empty_like(input);
  const Rows from(input);
  const Rows to(result);
  const std::int64_t columns = input.size(-1);
  for_each_row(row_count(input), columns, 2 * columns, [&](std::int64_t row, float* line) {
    from.read(row, line);
    if (other.defined()) {
      Rows(other).read(row, line + columns);
      add_row(line, line + columns, columns);
      round_to(parameters.dtype, line, columns);
      Rows(sum).write(row, line);
    }
    normalize_row(parameters, line, columns);
    to.write(row, line);
  });
  return result;
}

NormParameters parameters_of(const at::Tensor& input, const at::Tensor& weight, double eps) {
  NormParameters parameters;
  parameters.weight = floats(weight);
  parameters.epsilon = static_cast<float>(eps);
  parameters.dtype = from_torch(input.scalar_type());
  return parameters;
}

at::Tensor rms_norm(const at::Tensor& input, const at::Tensor& weight, double eps, double offset, bool wide) {
  check_floating(input);
  const at::Tensor factors = row_of_floats(weight, input);
  NormParameters parameters = parameters_of(input, factors, eps);
  parameters.offset = static_cast<float>(offset);
  parameters.wide = wide;
  return in_order_of(normalized(as_rows(input), {}, {}, parameters), input);
}

std::tuple<at::Tensor, at::Tensor> norm_of_sum(const at::Tensor& self, const at::Tensor& other,
                                               const NormParameters& parameters) {
  check_floating(self);
  TORCH_CHECK(self.sizes() == other.sizes() && self.scalar_type() == other.scalar_type(), "a sum of ", self.sizes(),
              " and ", other.sizes());
  const at::Tensor rows = as_rows(self);
  const at::Tensor sum = at::empty_like(rows);
  const at::Tensor result = normalized(rows, as_rows_like(other, rows), sum, parameters);
  return {in_order_of(sum, self), in_order_of(result, self)};
}

std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& self, const at::Tensor& other,
                                                const at::Tensor& weight, double eps, double offset, bool wide) {
  const at::Tensor factors = row_of_floats(weight, self);
  NormParameters parameters = parameters_of(self, factors, eps);
  parameters.offset = static_cast<float>(offset);
  parameters.wide = wide;
  return norm_of_sum(self, other, parameters);
}

std::tuple<at::Tensor, at::Tensor> add_layer_norm(const at::Tensor& self, const at::Tensor& other,
                                                  const OptionalTensor& weight, const OptionalTensor& bias,
                                                  double eps) {
  const at::Tensor factors = row_of_floats(weight, self);
  const at::Tensor added = row_of_floats(bias, self);
  NormParameters parameters = parameters_of(self, factors, eps);
  parameters.bias = floats(added);
  parameters.layer_norm = true;
  return norm_of_sum(self, other, parameters);
}

/// A table in fp32, and which of its rows belongs to each row of the input: heads share them.
class Table {
 public:
  Table(const at::Tensor& angles, const at::Tensor& input) : angles_(angles.to(at::kFloat).contiguous()) {
    std::vector<std::int64_t> shape = input.sizes().vec();
    shape.back() = angles.size(-1);
    angles_ = angles_.expand(shape);
  }
  const float* row(std::int64_t index) const {
    const float* place = angles_.const_data_ptr<float>();
    for (std::int64_t dim = angles_.dim() - 2; dim >= 0; --dim) {
      place += index % angles_.size(dim) * angles_.stride(dim);
      index /= angles_.size(dim);
    }
    return place;
  }

 private:
  at::Tensor angles_;
};

at::Tensor rotary(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin, bool wide, bool contiguous) {
  check_floating(input);
  const std::int64_t width = input.size(-1);
  const std::int64_t angles = cos.size(-1);
  TORCH_CHECK(width % 2 == 0 && (angles == width || 2 * angles == width) && sin.size(-1) == angles, "tables of ",
              cos.sizes(), " and ", sin.sizes(), " for ", input.sizes());
  const Table cosines(cos, input);
  const Table sines(sin, input);
  const at::Tensor heads = input.contiguous();
  at::Tensor result = at::empty_like(heads);
  const Rows from(heads);
  const Rows to(result);
  for_each_row(row_count(heads), width, 2 * width, [&](std::int64_t row, float* line) {
    const Turn turn{cosines.row(row), sines.row(row), angles, wide, from_torch(input.scalar_type())};
    from.read(row, line);
    rotate_row(turn, line, width, line + width);
    to.write(row, line);
  });
  return contiguous || input.is_contiguous() ? result : at::Tensor(at::empty_like(input).copy_(result));
}

/// LibTorch's kernels one behind the other: on the host it is they that vectorise the exponential.
at::Tensor gated_activation(const at::Tensor& gate, const at::Tensor& other, c10::string_view activation) {
  TORCH_CHECK(gate.sizes() == other.sizes(), "a gate of ", gate.sizes(), " for ", other.sizes());
  if (activation == "silu") return at::silu(gate).mul_(other);
  TORCH_CHECK(activation == "gelu" || activation == "gelu_tanh", "no activation '", activation, "'");
  return at::gelu(gate, activation == "gelu" ? "none" : "tanh").mul_(other);
}

torch::Library fused_operators() {
  torch::Library own(torch::Library::FRAGMENT, "nongemm", std::nullopt, __FILE__, __LINE__);
  own.def("rms_norm(Tensor input, Tensor weight, float eps, *, float offset=0.0, bool wide=False) -> Tensor");
  own.def(
      "add_rms_norm(Tensor self, Tensor other, Tensor weight, float eps, *, float offset=0.0, bool wide=False) -> "
      "(Tensor sum, Tensor normalized)");
  own.def(
      "add_layer_norm(Tensor self, Tensor other, Tensor? weight, Tensor? bias, float eps) -> (Tensor sum, "
      "Tensor normalized)");
  own.def("rotary(Tensor input, Tensor cos, Tensor sin, *, bool wide=False, bool contiguous=False) -> Tensor");
  own.def("gated_activation(Tensor gate, Tensor other, str activation='silu') -> Tensor");
  const auto kernel = [&](const char* name, auto function) {
    own.impl(name, c10::DispatchKey::CPU, torch::CppFunction::makeFromUnboxedFunction(function));
  };
  kernel("rms_norm", rms_norm);
  kernel("add_rms_norm", add_rms_norm);
  kernel("add_layer_norm", add_layer_norm);
  kernel("rotary", rotary);
  kernel("gated_activation", gated_activation);
  return own;
}

}  // namespace

void register_fused_operators() { static const torch::Library own = fused_operators(); }

}  // namespace nongemm::torch_flow
