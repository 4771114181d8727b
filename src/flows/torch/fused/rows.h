// Rows of a tensor as they lie in memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <cstdint>

namespace nongemm::torch_flow {

inline std::int64_t row_count(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.numel() / tensor.size(-1);
}

/// Whether its memory is rows of the last dimension, one behind the other, in whatever order.
inline bool is_rows(const at::Tensor& tensor) {
  return tensor.is_contiguous() ||
         (tensor.dim() > 0 && tensor.stride(-1) == 1 && tensor.is_non_overlapping_and_dense());
}

/// The tensor, or a copy that is rows: in the order of `like`, where one is given.
inline at::Tensor as_rows(const at::Tensor& tensor) { return is_rows(tensor) ? tensor : tensor.contiguous(); }
inline at::Tensor as_rows_like(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.strides() == like.strides()) return tensor;
  return at::empty_like(like).copy_(tensor);
}

/// `result`, in the order in memory in which an operator gives it that goes through `input` element by element.
inline at::Tensor in_order_of(const at::Tensor& result, const at::Tensor& input) {
  if (is_rows(input)) return result;
  return at::empty_like(input).copy_(result);
}

}  // namespace nongemm::torch_flow
