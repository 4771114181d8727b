// GEMM: products of matrices, vectors and more of them. Paper II-A1. Einsum and convolutions, which become products by
// im2col, have files of their own.
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/products.h"

namespace nongemm {
namespace {

using namespace rules;
using namespace products;

// --- linear(input [*, in], weight [out, in], bias [out]?) -> [*, out] ---
std::vector<Type> infer_linear(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  const Type& weight = operands.tensor(1, 1);
  Shape shape = input.shape;
  check_inner(operands, shape.back(), weight.shape.back());
  shape.pop_back();
  if (weight.shape.size() == 2) shape.push_back(weight.shape[0]);
  return {tensor_type(input.dtype, shape)};
}

Cost cost_linear(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = 2.0 * count_of(results[0]) * known(operands.tensor(1, 1).shape.back());
  if (operands.has(2)) cost.flops += count_of(results[0]);
  return cost;
}

// --- matmul: torch.matmul's rules for 1-D operands and batched broadcasting; mv and dot are two of its cases ---
std::vector<Type> infer_matmul(const Operands& operands) {
  const Type& a = operands.tensor(0);
  const Type& b = operands.tensor(1);
  Shape left = a.shape;
  Shape right = b.shape;
  if (left.empty() || right.empty()) throw Error(ErrorKind::kBadInput, "matmul needs at least one dimension");
  const bool vector_left = left.size() == 1;
  const bool vector_right = right.size() == 1;
  if (vector_left) left.insert(left.begin(), 1);
  if (vector_right) right.push_back(1);
  check_inner(operands, left.back(), right[right.size() - 2]);
  Shape shape = broadcast(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  if (!vector_left) shape.push_back(left[left.size() - 2]);
  if (!vector_right) shape.push_back(right.back());
  return {tensor_type(a.dtype, shape)};
}

Cost cost_matmul(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = 2.0 * count_of(results[0]) * known(operands.tensor(0, 1).shape.back());
  return cost;
}

// --- addmm(self, a [n, k], b [k, m]), baddbmm(self, a [b, n, k], b [b, k, m]) ---
std::vector<Type> infer_addmm(const Operands& operands) {
  const Type& a = operands.tensor(1, 2);
  const Type& b = operands.tensor(2, 2);
  check_inner(operands, a.shape.back(), b.shape[b.shape.size() - 2]);
  Shape shape = a.shape;
  shape.back() = b.shape.back();
  return {tensor_type(a.dtype, shape)};
}

Cost cost_addmm(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = count_of(results[0]) * (2.0 * known(operands.tensor(1, 1).shape.back()) + 1.0);
  return cost;
}

// --- addmv(self, a [n, k], v [k]) -> [n] ---
std::vector<Type> infer_addmv(const Operands& operands) {
  const Type& a = operands.tensor(1, 2);
  check_inner(operands, a.shape[1], operands.tensor(2, 1).shape[0]);
  return {tensor_type(a.dtype, {a.shape[0]})};
}

// --- addbmm(self, a [b, n, k], b [b, k, m]) -> [n, m]: the products of the batch added up ---
std::vector<Type> infer_addbmm(const Operands& operands) {
  const Type& a = operands.tensor(1, 3);
  const Type& b = operands.tensor(2, 3);
  check_inner(operands, a.shape[0], b.shape[0]);
  check_inner(operands, a.shape[2], b.shape[1]);
  return {tensor_type(a.dtype, {a.shape[1], b.shape[2]})};
}

Cost cost_addbmm(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Shape& a = operands.tensor(1, 3).shape;
  cost.flops = count_of(results[0]) * (2.0 * known(a[0]) * known(a[2]) + 1.0);
  return cost;
}

// --- inner(a [*, k], b [*, k]) -> [a's others, b's others]; a tensor without dimensions is a factor ---
std::vector<Type> infer_inner(const Operands& operands) {
  const Type& a = operands.tensor(0);
  const Type& b = operands.tensor(1);
  if (a.shape.empty() || b.shape.empty()) return elementwise(operands);
  check_inner(operands, a.shape.back(), b.shape.back());
  Shape shape(a.shape.begin(), a.shape.end() - 1);
  shape.insert(shape.end(), b.shape.begin(), b.shape.end() - 1);
  return {tensor_type(a.dtype, shape)};
}

Cost cost_inner(const Operands& operands, std::span<const Type> results) {
  const bool factor = operands.tensor(0).shape.empty() || operands.tensor(1).shape.empty();
  return factor ? per_output<1>(operands, results) : cost_matmul(operands, results);
}

// --- outer(a [n], b [m]) -> [n, m]: nothing is summed. addr adds the same to a matrix ---
template <std::size_t kFirst>
std::vector<Type> infer_outer(const Operands& operands) {
  const Type& a = operands.tensor(kFirst, 1);
  const Type& b = operands.tensor(kFirst + 1, 1);
  return {tensor_type(promoted_dtype(operands), {a.shape[0], b.shape[0]})};
}

// --- tensordot(self, other, dims of self, dims of other) -> [self's others, other's others] ---
std::vector<bool> summed_dims(const Operands& operands, std::size_t tensor, std::size_t arg) {
  const Shape& shape = operands.tensor(tensor).shape;
  std::vector<bool> summed(shape.size(), false);
  for (const std::int64_t dim : operands.integers(arg)) summed[sized_dim(dim, shape)] = true;
  return summed;
}

std::vector<Type> infer_tensordot(const Operands& operands) {
  const std::vector<std::int64_t> dims_self = operands.integers(2);
  const std::vector<std::int64_t> dims_other = operands.integers(3);
  const Type& self = operands.tensor(0);
  const Type& other = operands.tensor(1);
  check_inner(operands, static_cast<std::int64_t>(dims_self.size()), static_cast<std::int64_t>(dims_other.size()));
  for (std::size_t i = 0; i < dims_self.size(); ++i) {
    check_inner(operands, self.shape[sized_dim(dims_self[i], self.shape)],
                other.shape[sized_dim(dims_other[i], other.shape)]);
  }
  Shape shape;
  const std::array summed = {summed_dims(operands, 0, 2), summed_dims(operands, 1, 3)};
  for (std::size_t tensor = 0; tensor < summed.size(); ++tensor) {
    for (std::size_t i = 0; i < summed[tensor].size(); ++i) {
      if (!summed[tensor][i]) shape.push_back(operands.tensor(tensor).shape[i]);
    }
  }
  return {tensor_type(self.dtype, shape)};
}

Cost cost_tensordot(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Shape& self = operands.tensor(0).shape;
  double summed = 1;
  for (const std::int64_t dim : operands.integers(2)) summed *= known(self[sized_dim(dim, self)]);
  cost.flops = 2.0 * count_of(results[0]) * summed;
  return cost;
}

// --- linalg_multi_dot: a chain of matrices, the first and last of which may be vectors ---

/// Sizes of the chain: matrix i is [sizes[i], sizes[i + 1]].
std::vector<std::int64_t> chain_sizes(const Operands& operands) {
  const std::vector<const Type*> tensors = operands.tensors(0);
  if (tensors.size() < 2) throw Error(ErrorKind::kBadInput, operands.node().op + " needs at least two tensors");
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Shape shape = tensors[i] == nullptr ? Shape() : tensors[i]->shape;
    if (shape.size() == 1 && i == 0) shape.insert(shape.begin(), 1);
    if (shape.size() == 1 && i + 1 == tensors.size()) shape.push_back(1);
    if (shape.size() != 2)
      throw Error(ErrorKind::kBadInput, operands.node().op + " takes matrices, and vectors at its ends");
    if (i == 0) sizes.push_back(shape[0]);
    check_inner(operands, sizes.back(), shape[0]);
    sizes.push_back(shape[1]);
  }
  return sizes;
}

std::vector<Type> infer_multi_dot(const Operands& operands) {
  const std::vector<std::int64_t> sizes = chain_sizes(operands);
  const std::vector<const Type*> tensors = operands.tensors(0);
  Shape shape;
  if (tensors.front()->shape.size() == 2) shape.push_back(sizes.front());
  if (tensors.back()->shape.size() == 2) shape.push_back(sizes.back());
  return {tensor_type(tensors.front()->dtype, shape)};
}

/// Multiplied in the order that takes the fewest operations, which is what PyTorch looks for.
Cost cost_multi_dot(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const std::vector<std::int64_t> sizes = chain_sizes(operands);
  if (std::find(sizes.begin(), sizes.end(), kDynamic) != sizes.end()) {
    cost.flops = kUnknownWork;
    return cost;
  }
  const std::size_t count = sizes.size() - 1;
  std::vector<std::vector<double>> least(count, std::vector<double>(count, 0.0));  // of matrices i to j
  for (std::size_t length = 2; length <= count; ++length) {
    for (std::size_t i = 0; i + length <= count; ++i) {
      const std::size_t j = i + length - 1;
      least[i][j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        const double product = 2.0 * known(sizes[i]) * known(sizes[k + 1]) * known(sizes[j + 1]);
        least[i][j] = std::min(least[i][j], least[i][k] + least[k + 1][j] + product);
      }
    }
  }
  cost.flops = least[0][count - 1];
  return cost;
}

constexpr std::array kEntries = {
    entry("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", "Linear", infer_linear, cost_linear,
          onnx_rules::linear),
    entry("aten::matmul(Tensor self, Tensor other) -> Tensor", "MatMul", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::mm(Tensor self, Tensor mat2) -> Tensor", "MatMul", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::bmm(Tensor self, Tensor mat2) -> Tensor", "BMM", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::mv(Tensor self, Tensor vec) -> Tensor", "MatVec", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::dot(Tensor self, Tensor tensor) -> Tensor", "Dot", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::vdot(Tensor self, Tensor other) -> Tensor", "Dot", infer_matmul, cost_matmul, onnx_rules::matmul),
    entry("aten::inner(Tensor self, Tensor other) -> Tensor", "Inner", infer_inner, cost_inner, onnx_rules::inner),
    entry("aten::outer(Tensor self, Tensor vec2) -> Tensor", "Outer", infer_outer<0>, per_output<1>, onnx_rules::outer),
    entry("aten::ger(Tensor self, Tensor vec2) -> Tensor", "Outer", infer_outer<0>, per_output<1>, onnx_rules::outer),
    entry("aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", "Linear",
          infer_addmm, cost_addmm, onnx_rules::addmm),
    entry("aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", "BMM",
          infer_addmm, cost_addmm, onnx_rules::add_product),
    entry("aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", "BMM",
          infer_addbmm, cost_addbmm, onnx_rules::addbmm),
    entry("aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor", "MatVec",
          infer_addmv, cost_addmm, onnx_rules::add_product),
    entry("aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", "Outer",
          infer_outer<1>, per_output<2>, onnx_rules::addr),
    entry("aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", "TensorDot",
          infer_tensordot, cost_tensordot, onnx_rules::tensordot),
    entry("aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", "MultiDot", infer_multi_dot, cost_multi_dot,
          onnx_rules::multi_dot),
};

}  // namespace

std::span<const OpEntry> gemm_entries() { return kEntries; }

}  // namespace nongemm
