// Lowering rules that several entries share, and those of the groups whose rules stand in a file of their own
// (GROUP_onnx.cpp, beside GROUP.cpp).
#pragma once

#include "ops/onnx_lowering.h"
#include "ops/rules.h"

namespace nongemm::onnx_rules {

// --- shared --------------------------------------------------------------------------------------------------------

/// ONNX has nothing to do: the result is operand 0.
void operand(OnnxLowering& onnx);

/// One node over operand 0 in the result's type.
template <OnnxType kType>
void unary(OnnxLowering& onnx) {
  onnx.result(onnx.add(kType.text, {onnx.tensor(0, onnx.result_type().dtype)}));
}

/// One node over operands 0 and 1 in the type PyTorch computes in.
template <OnnxType kType>
void binary(OnnxLowering& onnx) {
  const DType dtype = rules::promoted_dtype(onnx.operands());
  const auto value = onnx.add(kType.text, {onnx.tensor(0, dtype), onnx.tensor(1, dtype)});
  onnx.result(onnx.cast(value, dtype, onnx.result_type().dtype));
}

/// The same with a truth value as its result.
template <OnnxType kType>
void comparison(OnnxLowering& onnx) {
  const DType dtype = rules::promoted_dtype(onnx.operands());
  onnx.result(onnx.add(kType.text, {onnx.tensor(0, dtype), onnx.tensor(1, dtype)}));
}

/// The shape of operand `i`: a constant where it is known.
OnnxLowering::Name shape_operand(OnnxLowering& onnx, std::size_t i);
/// `value`, of this type, expanded to the shape of operand 0.
OnnxLowering::Name expanded_like_first(OnnxLowering& onnx, OnnxLowering::Name value, const Type& type);
/// A tensor filled with one number.
OnnxLowering::Name filled(OnnxLowering& onnx, OnnxLowering::Name shape, double value, DType dtype);
/// Half types compute sums and squares in float.
DType accumulation_dtype(DType dtype);
/// Dimensions an argument names, counted from the front, in ascending order; all of them when it is empty or absent.
std::vector<std::int64_t> dimensions(const Operands& operands, std::size_t arg, std::size_t rank);

// --- arithmetic ------------------------------------------------------------------------------------------------------

void add(OnnxLowering& onnx);
void sub(OnnxLowering& onnx);
void rsub(OnnxLowering& onnx);
void divide(OnnxLowering& onnx);
void divide_mode(OnnxLowering& onnx);
void floor_divide(OnnxLowering& onnx);
void remainder(OnnxLowering& onnx);
void clamp(OnnxLowering& onnx);
void clamp_min(OnnxLowering& onnx);
void clamp_max(OnnxLowering& onnx);
void diff(OnnxLowering& onnx);
void square(OnnxLowering& onnx);
void expm1(OnnxLowering& onnx);
void log2(OnnxLowering& onnx);
void log1p(OnnxLowering& onnx);
void log10(OnnxLowering& onnx);
void trunc(OnnxLowering& onnx);
void fmod(OnnxLowering& onnx);
void atan2(OnnxLowering& onnx);
void clamp_tensor(OnnxLowering& onnx);
void rsqrt(OnnxLowering& onnx);
void where(OnnxLowering& onnx);
void masked_fill(OnnxLowering& onnx);

// --- layout ----------------------------------------------------------------------------------------------------------

void reshape(OnnxLowering& onnx);
void permute(OnnxLowering& onnx);
void transpose(OnnxLowering& onnx);
void transpose_matrix(OnnxLowering& onnx);
void unsqueeze(OnnxLowering& onnx);
void squeeze(OnnxLowering& onnx);
void expand(OnnxLowering& onnx);
void expand_as(OnnxLowering& onnx);
void select(OnnxLowering& onnx);
void slice(OnnxLowering& onnx);
void narrow(OnnxLowering& onnx);
void split(OnnxLowering& onnx);
void unbind(OnnxLowering& onnx);
void diagonal(OnnxLowering& onnx);
void as_strided(OnnxLowering& onnx);
/// Writing through a view: the operand with the view's elements replaced.
void write_same_elements(OnnxLowering& onnx);
void write_reshaped(OnnxLowering& onnx);
void write_permuted(OnnxLowering& onnx);
void write_transposed(OnnxLowering& onnx);
void write_selected(OnnxLowering& onnx);
void write_slice(OnnxLowering& onnx);

// --- movement --------------------------------------------------------------------------------------------------------

void convert(OnnxLowering& onnx);
void copy(OnnxLowering& onnx);
void fill_number(OnnxLowering& onnx);
void fill_zero(OnnxLowering& onnx);
void cat(OnnxLowering& onnx);
void stack(OnnxLowering& onnx);
void index(OnnxLowering& onnx);
void index_put(OnnxLowering& onnx);
void index_select(OnnxLowering& onnx);
void gather(OnnxLowering& onnx);
void roll(OnnxLowering& onnx);
void flip(OnnxLowering& onnx);
void repeat(OnnxLowering& onnx);
void repeat_interleave(OnnxLowering& onnx);
void lower_triangle(OnnxLowering& onnx);
void upper_triangle(OnnxLowering& onnx);
void col2im(OnnxLowering& onnx);

// --- reduction -------------------------------------------------------------------------------------------------------

void sum(OnnxLowering& onnx);
void mean(OnnxLowering& onnx);
void max(OnnxLowering& onnx);
void min(OnnxLowering& onnx);
void max_with_index(OnnxLowering& onnx);
void min_with_index(OnnxLowering& onnx);
void argmax(OnnxLowering& onnx);
void argmin(OnnxLowering& onnx);
void prod(OnnxLowering& onnx);
void var(OnnxLowering& onnx);
void cdist(OnnxLowering& onnx);
void pdist(OnnxLowering& onnx);
void vector_norm(OnnxLowering& onnx);
void all(OnnxLowering& onnx);
void any(OnnxLowering& onnx);
void cumsum(OnnxLowering& onnx);
void topk(OnnxLowering& onnx);
void sort(OnnxLowering& onnx);
void histc(OnnxLowering& onnx);
void unique(OnnxLowering& onnx);

// --- gemm ------------------------------------------------------------------------------------------------------------

void linear(OnnxLowering& onnx);
void matmul(OnnxLowering& onnx);
void addmm(OnnxLowering& onnx);
/// beta * operand 0 + alpha * (operand 1 x operand 2)
void add_product(OnnxLowering& onnx);
void addbmm(OnnxLowering& onnx);
void addr(OnnxLowering& onnx);
void inner(OnnxLowering& onnx);
void outer(OnnxLowering& onnx);
void tensordot(OnnxLowering& onnx);
void multi_dot(OnnxLowering& onnx);
void grouped_mm(OnnxLowering& onnx);
void einsum(OnnxLowering& onnx);
/// "valid" or "same" of a convolution: what is added to each dimension, at both sides together; an odd one has one more
/// at its end. Throws Error(kBadInput) for other names.
std::vector<std::int64_t> padding_by_name(const Operands& operands, const std::vector<std::int64_t>& dilation);
void convolution(OnnxLowering& onnx);
void transposed_convolution(OnnxLowering& onnx);

// --- attention -------------------------------------------------------------------------------------------------------

void scaled_dot_product_attention(OnnxLowering& onnx);
void flash_attention_for_cpu(OnnxLowering& onnx);
void native_multi_head_attention(OnnxLowering& onnx);

// --- interpolation ---------------------------------------------------------------------------------------------------

void resize_nearest(OnnxLowering& onnx);
void resize_bilinear(OnnxLowering& onnx);
void resize_bicubic(OnnxLowering& onnx);

// --- normalization ---------------------------------------------------------------------------------------------------

void layer_norm(OnnxLowering& onnx);
void native_layer_norm(OnnxLowering& onnx);
void native_group_norm(OnnxLowering& onnx);
void native_batch_norm(OnnxLowering& onnx);
void rms_norm(OnnxLowering& onnx);
void group_norm(OnnxLowering& onnx);
void batch_norm(OnnxLowering& onnx);
void instance_norm(OnnxLowering& onnx);

}  // namespace nongemm::onnx_rules
