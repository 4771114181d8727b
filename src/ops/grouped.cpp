// Products of many rows with one matrix for each group of them: a mixture of experts.
#include <algorithm>
#include <array>

#include "base/elements.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/products.h"

namespace nongemm {
namespace {

using namespace rules;
using namespace products;

/// Rows [s, k], sorted by group, times [groups, k, n]; offs [groups] says where each group's rows end.
std::vector<Type> infer_grouped_mm(const Operands& operands) {
  const Type& rows = operands.tensor(0);
  const Type& matrices = operands.tensor(1);
  if (rows.shape.size() != 2 || matrices.shape.size() != 3 || !operands.has(2)) {
    throw Error(ErrorKind::kUnsupported, operands.node().op + ": only rows times one matrix for each group");
  }
  check_inner(operands, rows.shape[1], matrices.shape[1]);
  const std::int64_t width = matrices.shape[2];
  Type result = tensor_type(operands.dtype(4, rows.dtype), {rows.shape[0], width});
  // The fast kernels write rows that begin at multiples of 16 bytes.
  const auto step = static_cast<std::int64_t>(16 / size_of(result.dtype));
  if (width != kDynamic && width % step != 0) result.strides = {(width + step - 1) / step * step, 1};
  return {result};
}

/// transformers' own, of exported programs: its result has no gaps.
std::vector<Type> infer_fallback(const Operands& operands) {
  const Type& rows = operands.tensor(0, 2);
  const Type& matrices = operands.tensor(1, 3);
  check_inner(operands, rows.shape[1], matrices.shape[1]);
  return {tensor_type(rows.dtype, {rows.shape[0], matrices.shape[2]})};
}

/// Each row meets one matrix. Which groups have rows is only known at run time: at most as many as there are rows.
Cost cost_grouped_mm(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& matrices = operands.tensor(1);
  const double rows = known(operands.tensor(0).shape[0]);
  const double groups = known(matrices.shape[0]);
  cost.bytes_read -= bytes_of(matrices) * (1.0 - std::min(rows, groups) / groups);
  cost.flops = 2.0 * count_of(results[0]) * known(matrices.shape[1]);
  return cost;
}

constexpr std::array kEntries = {
    entry("aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, "
          "ScalarType? out_dtype=None) -> Tensor",
          "GroupedMM", infer_grouped_mm, cost_grouped_mm, onnx_rules::grouped_mm),
    entry("transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor", "GroupedMM",
          infer_fallback, cost_grouped_mm, onnx_rules::grouped_mm),
};

}  // namespace

std::span<const OpEntry> grouped_entries() { return kEntries; }

}  // namespace nongemm
