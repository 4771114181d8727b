// torch's functions by their names, for builders: each adds the node that the same call in the original dispatches.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "ops/builder.h"

namespace nongemm::fn {

// Python numbers stay numbers: `x * 0.5` is mul.Tensor with a number, as eager dispatches it.
Tensor add(const Tensor& a, const Arg& b);
Tensor sub(const Tensor& a, const Arg& b);
Tensor mul(const Tensor& a, const Arg& b);
Tensor div(const Tensor& a, const Arg& b);
Tensor pow(const Tensor& a, const Arg& exponent);
Tensor neg(const Tensor& a);
Tensor rsqrt(const Tensor& a);
Tensor sin(const Tensor& a);
Tensor cos(const Tensor& a);
Tensor reciprocal(const Tensor& a);
Tensor mean(const Tensor& a, std::int64_t dim, bool keepdim);

Tensor matmul(const Tensor& a, const Tensor& b);
Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {});
Tensor addmm(const Tensor& bias, const Tensor& a, const Tensor& b);
Tensor softmax(const Tensor& a, std::int64_t dim, const Arg& dtype = kNone);
Tensor layer_norm(const Tensor& input, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps);
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& mask = {}, bool is_causal = false, const Arg& scale = kNone,
                                    bool enable_gqa = false);
Tensor embedding(const Tensor& weight, const Tensor& indices, std::int64_t padding_idx = -1);

/// An activation by its Hugging Face name ("gelu", "gelu_new", "relu", "silu", "quick_gelu", ...), inside the scope of
/// the module that transformers uses for it. Throws Error(kUnsupported) naming the known ones.
/// @param module the attribute that holds it in its parent
Tensor activation(const Tensor& input, std::string_view name, const char* module = "act");
/// torch.nn.functional.gelu(input), and with approximate="tanh"
Tensor gelu(const Tensor& input, const char* approximate = "none");
Tensor relu(const Tensor& input);
Tensor relu_(const Tensor& input);

/// The end of a slice that goes to the end.
inline constexpr std::int64_t kToEnd = INT64_MAX;

Tensor view(const Tensor& a, const Shape& shape);
Tensor reshape(const Tensor& a, const Shape& shape);
Tensor transpose(const Tensor& a, std::int64_t dim0, std::int64_t dim1);
Tensor permute(const Tensor& a, const Shape& dims);
Tensor unsqueeze(const Tensor& a, std::int64_t dim);
Tensor expand(const Tensor& a, const Shape& shape);
/// Nothing when it is contiguous already, as Python's Tensor.contiguous() is not dispatched then.
Tensor contiguous(const Tensor& a);
Tensor flatten(const Tensor& a, std::int64_t first, std::int64_t last = -1);
Tensor select(const Tensor& a, std::int64_t dim, std::int64_t index);
Tensor slice(const Tensor& a, std::int64_t dim, const Arg& start, const Arg& end, std::int64_t step = 1);
/// `a[..., start:end, ...]`: nothing when that is the whole dimension, as Python's indexing dispatches.
Tensor index_slice(const Tensor& a, std::int64_t dim, std::int64_t start, std::int64_t end = kToEnd);
std::vector<Tensor> split(const Tensor& a, std::int64_t size, std::int64_t dim);
std::vector<Tensor> chunk(const Tensor& a, std::int64_t chunks, std::int64_t dim);
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim);
Tensor to(const Tensor& a, DType dtype);

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Shape& stride, const Shape& padding,
              const Shape& dilation = {1, 1}, std::int64_t groups = 1);

}  // namespace nongemm::fn
