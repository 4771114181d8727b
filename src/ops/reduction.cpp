// Reductions and selections that are not part of a normalization: sums, maxima, cumulative sums, sorting.
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

/// Sums of integers and booleans are int64.
std::vector<Type> infer_sum(const Operands& operands) {
  std::vector<Type> result = reduce_dims(operands);
  const bool asked = operands.has(operands.position("dtype"));
  if (!asked && is_integral(result[0].dtype)) result[0].dtype = DType::kInt64;
  return result;
}

std::vector<Type> infer_logical(const Operands& operands) {
  std::vector<Type> result = reduce_dims(operands);
  result[0].dtype = DType::kBool;
  return result;
}

/// Values and their int64 indices.
std::vector<Type> infer_with_indices(const Operands& operands) {
  std::vector<Type> result = reduce_dims(operands);
  result.push_back(tensor_type(DType::kInt64, result[0].shape));
  return result;
}

std::vector<Type> infer_arg(const Operands& operands) {
  std::vector<Type> result = reduce_dims(operands);
  result[0].dtype = DType::kInt64;
  return result;
}

std::vector<Type> infer_cumsum(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const DType natural = is_integral(self.dtype) ? DType::kInt64 : self.dtype;
  std::vector<Type> result = like_first(operands);
  result[0].dtype = operands.dtype(2, natural);
  return result;
}

std::vector<Type> infer_topk(const Operands& operands) {
  const Type& self = operands.tensor(0);
  Shape shape = self.shape;
  if (!shape.empty()) shape[wrap_dim(operands.integer(2), shape.size())] = operands.integer(1);
  return {tensor_type(self.dtype, shape), tensor_type(DType::kInt64, shape)};
}

std::vector<Type> infer_sort(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(self.dtype, self.shape), tensor_type(DType::kInt64, self.shape)};
}

/// So many indices for each row of weights.
std::vector<Type> infer_multinomial(const Operands& operands) {
  Shape shape = operands.tensor(0).shape;
  if (!shape.empty()) shape.back() = operands.integer(1);
  return {tensor_type(DType::kInt64, shape)};
}

void multinomial(OnnxLowering& onnx) {
  onnx.unsupported("random numbers, which would be another generator's", "the torch flow draws them");
}

/// Distinct values, and (empty unless asked for) indices and counts.
std::vector<Type> infer_unique(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(self.dtype, {kDynamic}), tensor_type(DType::kInt64, operands.flag(2) ? self.shape : Shape{0}),
          tensor_type(DType::kInt64, {operands.flag(3) ? kDynamic : 0})};
}

/// (x1 [..., p, width], x2 [..., r, width]) -> [..., p, r]
std::vector<Type> infer_cdist(const Operands& operands) {
  const Shape& a = operands.tensor(0, 2).shape;
  const Shape& b = operands.tensor(1, 2).shape;
  Shape shape = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b[b.size() - 2]);
  return {tensor_type(operands.tensor(0).dtype, shape)};
}

/// self [n, width] -> [n (n - 1) / 2]
std::vector<Type> infer_pdist(const Operands& operands) {
  const std::int64_t rows = operands.tensor(0, 2).shape[0];
  return {tensor_type(operands.tensor(0).dtype, {rows == kDynamic ? kDynamic : rows * (rows - 1) / 2})};
}

/// For each pair a difference, a power and an addition along the width, and a root.
Cost cost_distances(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const std::int64_t width = operands.tensor(0, 2).shape.back();
  cost.flops = count_of(results[0]) * (width == kDynamic ? kUnknownWork : 3.0 * static_cast<double>(width) + 1.0);
  return cost;
}

/// Of complex numbers a norm is real.
std::vector<Type> infer_norm(const Operands& operands) {
  std::vector<Type> result = reduce_dims(operands);
  result[0].dtype = part_of(result[0].dtype);
  return result;
}

/// Counts, in the type of the numbers that are counted.
std::vector<Type> infer_histc(const Operands& operands) {
  return {tensor_type(operands.tensor(0).dtype, {operands.integer(1)})};
}

constexpr Traits kReduction = {.single_operation = true, .single_operand = true, .reduction = true};
constexpr Traits kCompound = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kDistance = {.nonlinear = true, .reduction = true};
constexpr Traits kSelection = {.single_operand = true, .dynamic = true, .reduction = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower,
                        Traits traits = kReduction, CostRule cost = per_input<1>) {
  return {.schema = schema,
          .group = Group::kReduction,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", "Sum", infer_sum, onnx_rules::sum),
    entry("aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
          "Sum", infer_sum, onnx_rules::sum),
    entry("aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", "Mean", reduce_dims, onnx_rules::mean),
    entry("aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", "Mean",
          reduce_dims, onnx_rules::mean),
    entry("aten::max(Tensor self) -> Tensor", "Max", reduce_dims, onnx_rules::max),
    entry("aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", "Max",
          infer_with_indices, onnx_rules::max_with_index),
    entry("aten::min(Tensor self) -> Tensor", "Min", reduce_dims, onnx_rules::min),
    entry("aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", "Min",
          infer_with_indices, onnx_rules::min_with_index),
    entry("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", "Max", reduce_dims, onnx_rules::max),
    entry("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", "Min", reduce_dims, onnx_rules::min),
    entry("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", "ArgMax", infer_arg,
          onnx_rules::argmax),
    entry("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", "ArgMin", infer_arg,
          onnx_rules::argmin),
    entry("aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", "Prod", infer_sum, onnx_rules::prod),
    entry("aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", "Prod",
          infer_sum, onnx_rules::prod),
    // Per element an addition for the mean, a difference, a square and its addition.
    entry("aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor", "Var",
          reduce_dims, onnx_rules::var, kCompound, per_input<4>),
    entry(
        "aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
        "Var", reduce_dims, onnx_rules::var, kCompound, per_input<4>),
    entry("aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor", "Distance", infer_cdist,
          onnx_rules::cdist, kDistance, cost_distances),
    entry("aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor", "Distance", infer_cdist,
          onnx_rules::cdist, kDistance, cost_distances),
    entry("aten::_pdist_forward(Tensor self, float p=2) -> Tensor", "Distance", infer_pdist, onnx_rules::pdist,
          kDistance, cost_distances),
    // Per element a power and an addition; the root is taken of few.
    entry("aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
          "ScalarType? dtype=None) -> Tensor",
          "Norm", infer_norm, onnx_rules::vector_norm, kCompound, per_input<2>),
    entry("aten::all(Tensor self) -> Tensor", "All", infer_logical, onnx_rules::all),
    entry("aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", "All", infer_logical, onnx_rules::all),
    entry("aten::any(Tensor self) -> Tensor", "Any", infer_logical, onnx_rules::any),
    entry("aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", "Any", infer_logical, onnx_rules::any),
    entry("aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", "Any", infer_logical,
          onnx_rules::any),
    entry("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", "CumSum", infer_cumsum,
          onnx_rules::cumsum),
    entry("aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) "
          "-> (Tensor values, Tensor indices)",
          "TopK", infer_topk, onnx_rules::topk, kSelection),
    entry("aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", "Sort",
          infer_sort, onnx_rules::sort, kSelection),
    entry("aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) "
          "-> Tensor",
          "Sampling", infer_multinomial, multinomial, kSelection),
    entry("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor", "Histogram", infer_histc,
          onnx_rules::histc),
    entry("aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) "
          "-> (Tensor, Tensor, Tensor)",
          "Unique", infer_unique, onnx_rules::unique, kSelection),
};

}  // namespace

std::span<const OpEntry> reduction_entries() { return kEntries; }

}  // namespace nongemm
