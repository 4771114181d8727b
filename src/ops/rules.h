// Shape and cost rules that several operators share. Rules of a single operator stand beside its entry.
#pragma once

#include <span>
#include <vector>

#include "ops/op.h"

namespace nongemm::rules {

// --- building blocks ---------------------------------------------------------------------------------------------

Type tensor_type(DType dtype, Shape shape);
/// `dim` counted from the end when negative; throws when it is out of range.
std::size_t wrap_dim(std::int64_t dim, std::size_t rank);
/// The same where the size of the dimension matters: a tensor without dimensions, whose only one is 0, is refused.
std::size_t sized_dim(std::int64_t dim, const Shape& shape);
/// NumPy broadcasting; throws Error(kBadInput) naming both shapes.
Shape broadcast(const Shape& a, const Shape& b);
/// The strides a value really has, contiguous ones written out.
Shape strides_of(const Type& type);
/// Dense in some order of dimensions (no holes, no overlap).
bool is_dense(const Type& type);
/// A map [n, c, h, w] whose memory is in the order n, h, w, c, and not contiguous at the same time.
bool is_channels_last(const Type& type);
/// Gives a map that order.
void lay_channels_last(Type& type);
/// PyTorch's type promotion over all tensor and number operands (torch.result_type).
DType promoted_dtype(const Operands& operands);
/// Strides of a view of `type` with `shape`, if one exists without a copy.
bool view_strides(const Type& type, const Shape& shape, Shape& strides);
/// Replaces the one -1 of a view's size by what is left; sizes computed at run time stay dynamic.
Shape resolve_sizes(const Operands& operands, std::size_t arg, const Shape& from);

// --- shape rules -------------------------------------------------------------------------------------------------

std::vector<Type> elementwise(const Operands& operands);        // broadcast, promote
std::vector<Type> elementwise_float(const Operands& operands);  // integers become float32 (exp, div)
std::vector<Type> comparison(const Operands& operands);         // broadcast to bool
std::vector<Type> in_place(const Operands& operands);           // operand 0, same storage
std::vector<Type> like_first(const Operands& operands);         // operand 0's shape and dtype, dense as it was
std::vector<Type> map_like_first(const Operands& operands);     // the same, contiguous or channels-last
std::vector<Type> contiguous_like_first(const Operands& operands);
std::vector<Type> alias_of_first(const Operands& operands);
std::vector<Type> reduce_dims(const Operands& operands);  // (self, dims, keepdim, ...) by argument name
std::vector<Type> scalar_int(const Operands& operands);

// --- cost rules --------------------------------------------------------------------------------------------------

/// Every tensor operand read once, every result written once; no floating point work.
Cost moves(const Operands& operands, std::span<const Type> results);
/// Like `moves` unless the result aliases its operand.
Cost moves_unless_view(const Operands& operands, std::span<const Type> results);

double count_of(const Type& type);
double bytes_of(const Type& type);
/// Bytes of all tensor operands and results.
Cost traffic(const Operands& operands, std::span<const Type> results);

/// `kPerElement` floating point operations for each element of the first result.
template <int kPerElement>
Cost per_output(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = results.empty() ? 0.0 : kPerElement * count_of(results[0]);
  return cost;
}

/// `kPerElement` floating point operations for each element of the first operand (reductions).
template <int kPerElement>
Cost per_input(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = kPerElement * count_of(operands.tensor(0));
  return cost;
}

}  // namespace nongemm::rules
