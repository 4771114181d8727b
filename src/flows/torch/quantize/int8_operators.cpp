#include "flows/torch/quantize/int8_operators.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/half.h"
#include "base/llm_int8.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/quantize/int8_kernels.h"

namespace nongemm::torch_flow {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

constexpr std::int64_t kColumnsAtOnce = 64;  // of a product, so that their part of the weight stays in the cache
constexpr std::int64_t kRowsAtOnce = 64;
constexpr std::int64_t kElementsPerPart = 32768;

std::int64_t rows_of(const at::Tensor& matrix) { return matrix.size(-1) == 0 ? 0 : matrix.numel() / matrix.size(-1); }

void check_int8(const at::Tensor& values, const at::Tensor& weight) {
  TORCH_CHECK(values.scalar_type() == at::kChar && weight.scalar_type() == at::kChar, "both factors should be int8");
  TORCH_CHECK(weight.dim() == 2 && values.dim() >= 1 && values.size(-1) == weight.size(1), "a product of ",
              values.sizes(), " and ", weight.sizes());
}

/// A threshold finds outliers; without one there are no flags.
std::tuple<at::Tensor, at::Tensor> quantize_with_flags(const at::Tensor& input, double threshold, std::uint8_t* flags) {
  TORCH_CHECK(input.dim() >= 1 && threshold >= 0, "rows of at least one dimension and a threshold of at least 0");
  const at::Tensor source = input.contiguous();
  at::Tensor values = at::empty(source.sizes(), source.options().dtype(at::kChar));
  const std::int64_t columns = source.size(-1);
  const std::int64_t rows = rows_of(source);
  at::Tensor scales = at::empty({rows}, source.options().dtype(at::kFloat));
  const DType dtype = from_torch(source.scalar_type());
  at::parallel_for(0, rows, std::max<std::int64_t>(kElementsPerPart / std::max<std::int64_t>(columns, 1), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     quantize_rows(dtype, source.const_data_ptr(), columns, begin, end, static_cast<float>(threshold),
                                   values.mutable_data_ptr<std::int8_t>(), scales.mutable_data_ptr<float>(), flags);
                   });
  return {values, scales};
}

std::tuple<at::Tensor, at::Tensor> int8_row_quantize(const at::Tensor& input, double threshold) {
  return quantize_with_flags(input, threshold, nullptr);
}

std::vector<std::int64_t> flagged(const std::vector<std::uint8_t>& flags) {
  std::vector<std::int64_t> columns;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] != 0) columns.push_back(static_cast<std::int64_t>(i));
  }
  return columns;
}

void clear_columns(const at::Tensor& values, const std::vector<std::int64_t>& columns) {
  if (columns.empty()) return;
  auto* place = values.mutable_data_ptr<std::int8_t>();
  for (std::int64_t row = 0; row < rows_of(values); ++row, place += values.size(-1)) {
    for (const std::int64_t column : columns) place[column] = 0;
  }
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> int8_quantize(const at::Tensor& input, double threshold) {
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(input.size(-1)), 0);
  auto [values, scales] = quantize_with_flags(input, threshold, flags.data());
  const std::vector<std::int64_t> columns = flagged(flags);
  clear_columns(values, columns);
  const std::int64_t rows = rows_of(input);
  at::Tensor outliers = at::zeros({input.size(-1) + 1}, input.options().dtype(at::kInt));
  at::Tensor gathered = at::zeros({rows, kGatheredOutliers}, input.options());
  auto* list = outliers.mutable_data_ptr<std::int32_t>();
  list[0] = static_cast<std::int32_t>(columns.size());
  std::copy(columns.begin(), columns.end(), list + 1);
  const at::Tensor matrix = input.reshape({rows, input.size(-1)});
  for (std::int64_t j = 0; j < std::min<std::int64_t>(kGatheredOutliers, list[0]); ++j) {
    gathered.select(1, j).copy_(matrix.select(1, list[1 + j]));
  }
  return {values, scales, outliers, gathered};
}

/// int8 as it stands beside an outlier: [columns, out] in `dtype`'s digits.
at::Tensor outlier_weight(const at::Tensor& weight, const at::Tensor& scales, const at::Tensor& columns,
                          at::ScalarType dtype) {
  constexpr double kPerStep = 7.874015718698502e-3;
  const at::Tensor part = weight.index_select(1, columns).to(at::kFloat);
  return part.mul(scales.unsqueeze(1)).mul(kPerStep).to(dtype).to(at::kFloat).t().contiguous();
}

/// What a product adds for the outlier columns, or nothing.
struct Outliers {
  at::Tensor values;  // [rows, count] fp32
  at::Tensor weight;  // [count, out] fp32
  OutlierColumns columns;

  Outliers() = default;
  Outliers(const at::Tensor& input, const at::Tensor& list, const at::Tensor& int8_weight, const at::Tensor& scales) {
    const std::int64_t count = list.const_data_ptr<std::int32_t>()[0];
    if (count == 0) return;
    const at::Tensor at_columns = list.narrow(0, 1, count).to(at::kLong);
    values = input.reshape({-1, input.size(-1)}).index_select(1, at_columns).to(at::kFloat).contiguous();
    weight = outlier_weight(int8_weight, scales, at_columns, input.scalar_type());
    columns = {count, weight.const_data_ptr<float>()};
  }
  const float* row(std::int64_t i) const {
    return columns.count == 0 ? nullptr : values.const_data_ptr<float>() + i * columns.count;
  }
};

/// Walks through the result in blocks that fit the cache, each part of the weight on one thread.
/// @param finish (first row, rows, first column, columns, sums of the block, row-major)
template <typename Finish>
void in_blocks(const at::Tensor& values, const at::Tensor& weight, Finish&& finish) {
  const std::int64_t rows = rows_of(values);
  const std::int64_t columns = weight.size(0);
  const std::int64_t inner = weight.size(1);
  const auto* left = values.const_data_ptr<std::int8_t>();
  const auto* right = weight.const_data_ptr<std::int8_t>();
  const std::int64_t blocks = (columns + kColumnsAtOnce - 1) / kColumnsAtOnce;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> sums(kRowsAtOnce * kColumnsAtOnce);
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * kColumnsAtOnce;
      const std::int64_t count = std::min(kColumnsAtOnce, columns - first);
      for (std::int64_t row = 0; row < rows; row += kRowsAtOnce) {
        const std::int64_t some = std::min(kRowsAtOnce, rows - row);
        int8_products(left + row * inner, some, right, first, first + count, inner, sums.data());
        finish(row, some, first, count, sums.data());
      }
    }
  });
}

at::Tensor int8_linear_matmul(const at::Tensor& a, const at::Tensor& b) {
  check_int8(a, b);
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = b.size(0);
  at::Tensor sums = at::empty(shape, a.options().dtype(at::kInt));
  const std::int64_t columns = b.size(0);
  auto* out = sums.mutable_data_ptr<std::int32_t>();
  in_blocks(a.contiguous(), b.contiguous(), [&](auto row, auto rows, auto first, auto count, const auto* block) {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(block + r * count, count, out + (row + r) * columns + first);
    }
  });
  return sums;
}

/// [out] in fp32, or nothing.
at::Tensor as_floats(const OptionalTensor& vector) {
  return vector && vector->defined() ? vector->to(at::kFloat).contiguous() : at::Tensor();
}

const float* floats(const at::Tensor& vector) { return vector.defined() ? vector.const_data_ptr<float>() : nullptr; }

at::Tensor int8_mm_dequant(const at::Tensor& a, const at::Tensor& row_stats, const at::Tensor& col_stats,
                           std::optional<at::ScalarType> dtype, const OptionalTensor& bias) {
  TORCH_CHECK(a.scalar_type() == at::kInt, "sums should be int32");
  const at::Tensor sums = a.contiguous();
  const at::Tensor rows = row_stats.contiguous();
  const at::Tensor columns = col_stats.contiguous();
  const std::int64_t width = a.size(-1);
  TORCH_CHECK(rows.numel() == rows_of(a) && columns.numel() == width, "scales of ", rows.sizes(), " and ",
              columns.sizes(), " for ", a.sizes());
  const at::Tensor added = as_floats(bias);
  at::Tensor results = at::empty(a.sizes(), a.options().dtype(at::kFloat));
  auto* out = results.mutable_data_ptr<float>();
  const std::int64_t part = std::max<std::int64_t>(kElementsPerPart / std::max<std::int64_t>(width, 1), 1);
  at::parallel_for(0, rows_of(a), part, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      scale_row(sums.const_data_ptr<std::int32_t>() + r * width, width, rows.const_data_ptr<float>()[r],
                columns.const_data_ptr<float>(), floats(added), {}, 0, nullptr, out + r * width);
    }
  });
  return results.to(dtype.value_or(at::kHalf));
}

at::Tensor int8_linear(const at::Tensor& values, const at::Tensor& weight, const at::Tensor& scales,
                       const at::Tensor& weight_scales, const OptionalTensor& bias, const OptionalTensor& input,
                       const OptionalTensor& outliers, const OptionalTensor& /*gathered*/,
                       std::optional<at::ScalarType> dtype) {
  check_int8(values, weight);
  const at::Tensor added = as_floats(bias);
  const at::Tensor columns = weight_scales.contiguous();
  const at::Tensor rows = scales.contiguous();
  TORCH_CHECK(rows.numel() == rows_of(values) && columns.numel() == weight.size(0), "scales of ", rows.sizes(), " and ",
              columns.sizes(), " for ", values.sizes(), " times ", weight.sizes());
  const Outliers aside = outliers ? Outliers(input.value(), *outliers, weight, columns) : Outliers();
  std::vector<std::int64_t> shape = values.sizes().vec();
  shape.back() = weight.size(0);
  const std::int64_t width = weight.size(0);
  at::Tensor results = at::empty(shape, values.options().dtype(dtype.value_or(at::kHalf)));
  const DType type = from_torch(results.scalar_type());
  auto* out = static_cast<std::byte*>(results.mutable_data_ptr());
  in_blocks(
      values.contiguous(), weight.contiguous(), [&](auto row, auto some, auto first, auto count, const auto* sums) {
        float line[kColumnsAtOnce];
        OutlierColumns part = aside.columns;
        if (part.count > 0) part.weight += first;
        for (std::int64_t r = 0; r < some; ++r) {
          scale_row(sums + r * count, count, rows.const_data_ptr<float>()[row + r],
                    columns.const_data_ptr<float>() + first, added.defined() ? floats(added) + first : nullptr, part,
                    width, aside.row(row + r), line);
          const std::int64_t place = (row + r) * width + first;
          convert_floating(DType::kFloat32, reinterpret_cast<const std::byte*>(line), type,
                           out + place * static_cast<std::int64_t>(size_of(type)), static_cast<std::size_t>(count));
        }
      });
  return results;
}

at::Tensor& add_outlier_product(at::Tensor& self, const at::Tensor& input, const at::Tensor& outliers,
                                const at::Tensor& /*gathered*/, const at::Tensor& weight,
                                const at::Tensor& weight_scales) {
  const std::int64_t count = outliers.const_data_ptr<std::int32_t>()[0];
  if (count == 0) return self;
  const Outliers aside(input, outliers, weight, weight_scales);
  return self.add_(at::Tensor(aside.values.matmul(aside.weight)).view(self.sizes()));
}

// --- bitsandbytes' own, for graphs and calls that name them, of other operators: on any device ---
template <typename Signature, typename... Args>
auto call(const char* name, Args&&... arguments) {
  const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  return handle.typed<Signature>().call(std::forward<Args>(arguments)...);
}

std::tuple<at::Tensor, at::Tensor, OptionalTensor> int8_vectorwise_quant(const at::Tensor& a, double threshold) {
  auto [values, scales] =
      call<std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, double)>("nongemm::int8_row_quantize", a, threshold);
  if (threshold <= 0) return {values, scales, std::nullopt};
  const at::Tensor rows = a.reshape({-1, a.size(-1)});
  const at::Tensor columns = rows.to(at::kHalf).abs().ge(threshold).any(0).nonzero().view({-1});
  values.view({-1, a.size(-1)}).index_fill_(1, columns, 0);
  return {values, scales, columns};
}

at::Tensor int8_vectorwise_dequant(const at::Tensor& a, const at::Tensor& stats) {
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = 1;
  return a.mul(stats.view(shape)).mul(7.874015718698502e-3);
}

at::Tensor int8_scaled_mm(const at::Tensor& a, const at::Tensor& b, const at::Tensor& row_stats,
                          const at::Tensor& col_stats, const OptionalTensor& bias,
                          std::optional<at::ScalarType> dtype) {
  const auto sums = call<at::Tensor(const at::Tensor&, const at::Tensor&)>("bitsandbytes::int8_linear_matmul", a, b);
  return call<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<at::ScalarType>,
                         const OptionalTensor&)>("bitsandbytes::int8_mm_dequant", sums, row_stats, col_stats, dtype,
                                                 bias);
}

std::tuple<at::Tensor, OptionalTensor> int8_mixed_scaled_mm(const at::Tensor& a, const at::Tensor& ca,
                                                            const at::Tensor& cb, const at::Tensor& sca,
                                                            const at::Tensor& scb,
                                                            const OptionalTensor& outlier_columns,
                                                            const OptionalTensor& bias) {
  const at::Tensor result = int8_scaled_mm(ca, cb, sca, scb, bias, a.scalar_type());
  const at::Tensor rows = a.reshape({-1, a.size(-1)});
  if (!outlier_columns || outlier_columns->numel() == 0) return {result, rows.narrow(1, 0, 0)};
  const at::Tensor values = rows.index_select(1, *outlier_columns);
  const at::Tensor weight = outlier_weight(cb, scb, *outlier_columns, a.scalar_type()).to(a.scalar_type());
  return {result.view({rows.size(0), -1}).addmm(values, weight).view(result.sizes()), values};
}

torch::Library own_operators() {
  torch::Library own(torch::Library::FRAGMENT, "nongemm", std::nullopt, __FILE__, __LINE__);
  own.def("int8_row_quantize(Tensor input, float threshold=0.0) -> (Tensor values, Tensor scales)");
  own.def(
      "int8_quantize(Tensor input, float threshold) -> (Tensor values, Tensor scales, Tensor outliers, "
      "Tensor gathered)");
  own.def(
      "add_outlier_product_(Tensor(a!) self, Tensor input, Tensor outliers, Tensor gathered, Tensor weight, "
      "Tensor weight_scales) -> Tensor(a!)");
  own.def(
      "int8_linear(Tensor values, Tensor weight, Tensor scales, Tensor weight_scales, Tensor? bias=None, *, "
      "Tensor? input=None, Tensor? outliers=None, Tensor? gathered=None, ScalarType? dtype=None) -> Tensor");
  const auto kernel = [&](const char* name, auto function) {
    own.impl(name, c10::DispatchKey::CPU, torch::CppFunction::makeFromUnboxedFunction(function));
  };
  kernel("int8_row_quantize", int8_row_quantize);
  kernel("int8_quantize", int8_quantize);
  kernel("add_outlier_product_", add_outlier_product);
  kernel("int8_linear", int8_linear);
  return own;
}

torch::Library bitsandbytes_operators() {
  torch::Library theirs(torch::Library::FRAGMENT, "bitsandbytes", std::nullopt, __FILE__, __LINE__);
  theirs.def("int8_vectorwise_quant(Tensor A, float threshold=0.0) -> (Tensor, Tensor, Tensor?)");
  theirs.def("int8_vectorwise_dequant(Tensor A, Tensor stats) -> Tensor");
  theirs.def("int8_linear_matmul(Tensor A, Tensor B) -> Tensor");
  theirs.def(
      "int8_mm_dequant(Tensor A, Tensor row_stats, Tensor col_stats, ScalarType? dtype=None, Tensor? bias=None) "
      "-> Tensor");
  theirs.def(
      "int8_scaled_mm(Tensor A, Tensor B, Tensor row_stats, Tensor col_stats, Tensor? bias=None, "
      "ScalarType? dtype=None) -> Tensor");
  theirs.def(
      "int8_mixed_scaled_mm(Tensor A, Tensor CA, Tensor CB, Tensor SCA, Tensor SCB, Tensor? outlier_cols=None, "
      "Tensor? bias=None) -> (Tensor, Tensor?)");
  const auto kernel = [&](const char* name, c10::DispatchKey key, auto function) {
    theirs.impl(name, key, torch::CppFunction::makeFromUnboxedFunction(function));
  };
  constexpr auto kAny = c10::DispatchKey::CompositeExplicitAutograd;
  kernel("int8_vectorwise_quant", kAny, int8_vectorwise_quant);
  kernel("int8_vectorwise_dequant", kAny, int8_vectorwise_dequant);
  kernel("int8_linear_matmul", c10::DispatchKey::CPU, int8_linear_matmul);
  kernel("int8_mm_dequant", c10::DispatchKey::CPU, int8_mm_dequant);
  kernel("int8_scaled_mm", kAny, int8_scaled_mm);
  kernel("int8_mixed_scaled_mm", kAny, int8_mixed_scaled_mm);
  return theirs;
}

}  // namespace

void register_int8_operators() {
  static const torch::Library own = own_operators();
  if (c10::Dispatcher::singleton().findSchema({"bitsandbytes::int8_linear_matmul", ""})) return;
  static const torch::Library theirs = bitsandbytes_operators();
}

}  // namespace nongemm::torch_flow
