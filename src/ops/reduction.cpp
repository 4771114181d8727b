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

/// Distinct values, and (empty unless asked for) indices and counts.
std::vector<Type> infer_unique(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(self.dtype, {kDynamic}), tensor_type(DType::kInt64, operands.flag(2) ? self.shape : Shape{0}),
          tensor_type(DType::kInt64, {operands.flag(3) ? kDynamic : 0})};
}

constexpr Traits kReduction = {.single_operation = true, .single_operand = true, .reduction = true};
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
    entry("aten::all(Tensor self) -> Tensor", "All", infer_logical, onnx_rules::all),
    entry("aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", "All", infer_logical, onnx_rules::all),
    entry("aten::any(Tensor self) -> Tensor", "Any", infer_logical, onnx_rules::any),
    entry("aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", "Any", infer_logical, onnx_rules::any),
    entry("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", "CumSum", infer_cumsum,
          onnx_rules::cumsum),
    entry("aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) "
          "-> (Tensor values, Tensor indices)",
          "TopK", infer_topk, onnx_rules::topk, kSelection),
    entry("aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", "Sort",
          infer_sort, onnx_rules::sort, kSelection),
    entry("aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) "
          "-> (Tensor, Tensor, Tensor)",
          "Unique", infer_unique, onnx_rules::unique, kSelection),
};

}  // namespace

std::span<const OpEntry> reduction_entries() { return kEntries; }

}  // namespace nongemm
