// An operator library: RMS normalization with a residual, in one pass over the rows.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <cmath>

namespace {

/// (x + residual) / rms(x + residual) * weight, over the last dimension; fp32 on the host.
at::Tensor scaled_rms_norm(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& residual,
                           double eps) {
  TORCH_CHECK(x.scalar_type() == at::kFloat && x.dim() > 0, "scaled_rms_norm: x has to be fp32");
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == x.size(-1), "scaled_rms_norm: weight does not fit x");
  TORCH_CHECK(!residual || residual->sizes() == x.sizes(), "scaled_rms_norm: residual does not fit x");
  const at::Tensor input = x.contiguous();
  const at::Tensor scale = weight.contiguous();
  const at::Tensor added = residual ? residual->contiguous() : at::Tensor();
  at::Tensor result = at::empty_like(input);
  const std::int64_t columns = input.size(-1);
  const std::int64_t rows = columns == 0 ? 0 : input.numel() / columns;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* in = input.const_data_ptr<float>() + row * columns;
    const float* more = residual ? added.const_data_ptr<float>() + row * columns : nullptr;
    float* out = result.mutable_data_ptr<float>() + row * columns;
    double squares = 0;
    for (std::int64_t i = 0; i < columns; ++i) {
      out[i] = more == nullptr ? in[i] : in[i] + more[i];
      squares += static_cast<double>(out[i]) * out[i];
    }
    const auto factor = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(columns) + eps));
    for (std::int64_t i = 0; i < columns; ++i) out[i] *= factor * scale.const_data_ptr<float>()[i];
  }
  return result;
}

}  // namespace

TORCH_LIBRARY(example, library) {
  library.def("scaled_rms_norm(Tensor x, Tensor weight, Tensor? residual=None, *, float eps=1e-06) -> Tensor");
}

TORCH_LIBRARY_IMPL(example, CPU, library) { library.impl("scaled_rms_norm", scaled_rms_norm); }
