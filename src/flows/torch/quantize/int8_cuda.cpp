#include "flows/torch/quantize/int8_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <torch/library.h>

#include <tuple>
#include <utility>

#include "base/llm_int8.h"
#include "flows/device/device.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"
#include "record/quantized_kernels.h"

namespace nongemm::torch_flow {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

std::int64_t rows_of(const at::Tensor& matrix) { return matrix.size(-1) == 0 ? 0 : matrix.numel() / matrix.size(-1); }

void* stream_of(const at::Tensor& tensor) { return current_stream(tensor.device()); }

/// Values and scales to write, for rows whose input stays alive beside them.
struct RowTensors {
  RowTensors(const at::Tensor& given, double threshold) : input(given.contiguous()) {
    TORCH_CHECK(given.dim() >= 1 && threshold >= 0, "rows of at least one dimension and a threshold of at least 0");
    values = at::empty(input.sizes(), input.options().dtype(at::kChar));
    scales = at::empty({rows_of(input)}, input.options().dtype(at::kFloat));
    rows.input = input.const_data_ptr();
    rows.dtype = from_torch(input.scalar_type());
    rows.rows = rows_of(input);
    rows.columns = input.size(-1);
    rows.threshold = static_cast<float>(threshold);
    rows.values = values.mutable_data_ptr<std::int8_t>();
    rows.scales = scales.mutable_data_ptr<float>();
  }
  at::Tensor input;
  at::Tensor values;
  at::Tensor scales;
  device::Int8Rows rows;
};

std::tuple<at::Tensor, at::Tensor> int8_row_quantize(const at::Tensor& input, double threshold) {
  RowTensors tensors(input, threshold);
  device::library().int8_rows(tensors.rows, stream_of(input));
  return {tensors.values, tensors.scales};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> int8_quantize(const at::Tensor& input, double threshold) {
  RowTensors tensors(input, threshold);
  const auto options = input.options();
  const at::Tensor flags = at::empty({input.size(-1)}, options.dtype(at::kByte));
  at::Tensor outliers = at::empty({input.size(-1) + 1}, options.dtype(at::kInt));
  at::Tensor gathered = at::empty({tensors.rows.rows, kGatheredOutliers}, options);
  // Without rows nothing writes their number.
  if (threshold <= 0 || tensors.rows.rows == 0) outliers.zero_();
  tensors.rows.flags = flags.mutable_data_ptr<std::uint8_t>();
  tensors.rows.outliers = outliers.mutable_data_ptr<std::int32_t>();
  tensors.rows.gathered = gathered.mutable_data_ptr();
  device::library().int8_rows(tensors.rows, stream_of(input));
  return {tensors.values, tensors.scales, outliers, gathered};
}

device::Int8Product factors(const at::Tensor& values, const at::Tensor& weight) {
  TORCH_CHECK(values.scalar_type() == at::kChar && weight.scalar_type() == at::kChar, "both factors should be int8");
  TORCH_CHECK(weight.dim() == 2 && values.dim() >= 1 && values.size(-1) == weight.size(1), "a product of ",
              values.sizes(), " and ", weight.sizes());
  TORCH_CHECK(values.is_contiguous() && weight.is_contiguous(), "factors should be contiguous");
  device::Int8Product product;
  product.values = values.const_data_ptr<std::int8_t>();
  product.weight = weight.const_data_ptr<std::int8_t>();
  product.rows = rows_of(values);
  product.columns = weight.size(0);
  product.inner = weight.size(1);
  return product;
}

std::vector<std::int64_t> product_shape(const at::Tensor& values, const at::Tensor& weight) {
  std::vector<std::int64_t> shape = values.sizes().vec();
  shape.back() = weight.size(0);
  return shape;
}

/// What cuBLASLt does not take is filled up or runs in the program's own kernel (record/quantized_kernels.h).
at::Tensor int8_linear_matmul(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor values = a.contiguous();
  const at::Tensor weight = b.contiguous();
  device::Int8Product product = factors(values, weight);
  if (cublaslt_takes_int8({product.rows, product.inner, product.columns})) {
    const at::Tensor matrix = values.view({product.rows, product.inner});
    const std::int64_t missing = kFewestRowsOfCublasLt - product.rows;
    if (missing <= 0) return at::_int_mm(matrix, weight.t()).view(product_shape(a, b));
    const at::Tensor filled = at::constant_pad_nd(matrix, {0, 0, 0, missing});
    return at::_int_mm(filled, weight.t()).narrow(0, 0, product.rows).view(product_shape(a, b));
  }
  at::Tensor sums = at::empty(product_shape(a, b), a.options().dtype(at::kInt));
  product.dtype = DType::kInt32;
  product.output = sums.mutable_data_ptr();
  device::library().int8_product(product, stream_of(a));
  return sums;
}

/// In the result's type, alive as long as the caller keeps it.
at::Tensor bias_in(const OptionalTensor& bias, at::ScalarType dtype) {
  return bias && bias->defined() ? bias->to(dtype).contiguous() : at::Tensor();
}

const void* data_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr() : nullptr; }

at::Tensor int8_mm_dequant(const at::Tensor& a, const at::Tensor& row_stats, const at::Tensor& col_stats,
                           std::optional<at::ScalarType> dtype, const OptionalTensor& bias) {
  TORCH_CHECK(a.scalar_type() == at::kInt, "sums should be int32");
  const at::Tensor sums = a.contiguous();
  const at::Tensor rows = row_stats.contiguous();
  const at::Tensor columns = col_stats.contiguous();
  TORCH_CHECK(rows.numel() == rows_of(a) && columns.numel() == a.size(-1), "scales of ", rows.sizes(), " and ",
              columns.sizes(), " for ", a.sizes());
  const at::ScalarType type = dtype.value_or(at::kHalf);
  const at::Tensor added = bias_in(bias, type);
  at::Tensor results = at::empty(a.sizes(), a.options().dtype(type));
  device::Int8Product product;
  product.sums = sums.const_data_ptr<std::int32_t>();
  product.row_scales = rows.const_data_ptr<float>();
  product.weight_scales = columns.const_data_ptr<float>();
  product.bias = data_or_null(added);
  product.output = results.mutable_data_ptr();
  product.dtype = from_torch(type);
  product.rows = rows_of(a);
  product.columns = a.size(-1);
  device::library().int8_scale(product, stream_of(a));
  return results;
}

/// What a product reads of outliers, and the memory for what it gathers.
struct OutlierTensors {
  OutlierTensors(device::Int8Product& product, const at::Tensor& given, const at::Tensor& outliers,
                 const at::Tensor& gathered)
      : input(given.contiguous()) {
    TORCH_CHECK(gathered.dim() == 2 && gathered.size(1) == kGatheredOutliers && gathered.size(0) == product.rows &&
                    outliers.numel() == product.inner + 1,
                "outliers of another input");
    product.input = input.const_data_ptr();
    product.outliers = outliers.const_data_ptr<std::int32_t>();
    product.gathered = gathered.const_data_ptr();
  }
  /// What a product needs that takes the outlier columns apart.
  void make_room(device::Int8Product& product, const at::Tensor& gathered) {
    weight = at::empty({product.columns, kGatheredOutliers}, gathered.options());
    further = at::empty({device::in_whole_tiles(product.rows), device::in_whole_tiles(product.columns)},
                        gathered.options().dtype(at::kFloat));
    product.gathered_weight = weight.mutable_data_ptr();
    product.further = further.mutable_data_ptr<float>();
  }
  at::Tensor input;
  at::Tensor weight;
  at::Tensor further;
};

at::Tensor int8_linear(const at::Tensor& values, const at::Tensor& weight, const at::Tensor& scales,
                       const at::Tensor& weight_scales, const OptionalTensor& bias, const OptionalTensor& input,
                       const OptionalTensor& outliers, const OptionalTensor& gathered,
                       std::optional<at::ScalarType> dtype) {
  device::Int8Product product = factors(values, weight);
  const at::ScalarType type = dtype.value_or(at::kHalf);
  const at::Tensor added = bias_in(bias, type);
  TORCH_CHECK(scales.numel() == product.rows && weight_scales.numel() == product.columns, "scales of ", scales.sizes(),
              " and ", weight_scales.sizes(), " for ", values.sizes(), " times ", weight.sizes());
  product.row_scales = scales.const_data_ptr<float>();
  product.weight_scales = weight_scales.const_data_ptr<float>();
  product.bias = data_or_null(added);
  product.dtype = from_torch(type);
  std::optional<OutlierTensors> aside;
  if (outliers) aside.emplace(product, input.value(), *outliers, gathered.value());
  if (aside && type == aside->input.scalar_type() && device::library().had_many_outliers(product)) {
    const at::Tensor left = at::empty_like(aside->input);
    const at::Tensor right = at::empty(weight.sizes(), left.options());
    device::library().int8_unfold(product, left.mutable_data_ptr(), right.mutable_data_ptr(), stream_of(values));
    return at::linear(left, right, added.defined() ? OptionalTensor(added) : std::nullopt);
  }
  if (aside) aside->make_room(product, *gathered);
  at::Tensor results = at::empty(product_shape(values, weight), values.options().dtype(type));
  product.output = results.mutable_data_ptr();
  device::library().int8_product(product, stream_of(values));
  return results;
}

at::Tensor& add_outlier_product(at::Tensor& self, const at::Tensor& input, const at::Tensor& outliers,
                                const at::Tensor& gathered, const at::Tensor& weight, const at::Tensor& weight_scales) {
  TORCH_CHECK(self.is_contiguous() && weight.is_contiguous(), "matrices should be contiguous");
  device::Int8Product product;
  product.rows = rows_of(self);
  product.columns = weight.size(0);
  product.inner = weight.size(1);
  product.weight = weight.const_data_ptr<std::int8_t>();
  product.weight_scales = weight_scales.const_data_ptr<float>();
  product.output = self.mutable_data_ptr();
  product.dtype = from_torch(self.scalar_type());
  OutlierTensors aside(product, input, outliers, gathered);
  aside.make_room(product, gathered);
  device::library().add_outliers(product, stream_of(self));
  return self;
}

}  // namespace

void register_cuda_int8_operators() {
  static bool registered = false;  // for every session that opens a device it is asked for again
  if (std::exchange(registered, true)) return;
  static torch::Library own(torch::Library::IMPL, "nongemm", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  static torch::Library theirs(torch::Library::IMPL, "bitsandbytes", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  own.impl("int8_row_quantize", torch::CppFunction::makeFromUnboxedFunction(int8_row_quantize));
  own.impl("int8_quantize", torch::CppFunction::makeFromUnboxedFunction(int8_quantize));
  own.impl("int8_linear", torch::CppFunction::makeFromUnboxedFunction(int8_linear));
  own.impl("add_outlier_product_", torch::CppFunction::makeFromUnboxedFunction(add_outlier_product));
  const auto op = c10::Dispatcher::singleton().findSchema({"bitsandbytes::int8_linear_matmul", ""});
  if (op.has_value() && op->hasKernelForDispatchKey(c10::DispatchKey::CUDA)) return;  // its own library is loaded
  theirs.impl("int8_linear_matmul", torch::CppFunction::makeFromUnboxedFunction(int8_linear_matmul));
  theirs.impl("int8_mm_dequant", torch::CppFunction::makeFromUnboxedFunction(int8_mm_dequant));
}

}  // namespace nongemm::torch_flow
