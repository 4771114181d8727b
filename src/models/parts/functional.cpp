#include "models/parts/functional.h"

namespace nongemm::fn {

Tensor add(const Tensor& a, const Arg& b) { return a.builder().call("aten.add.Tensor", {a, b}); }
Tensor sub(const Tensor& a, const Arg& b) { return a.builder().call("aten.sub.Tensor", {a, b}); }
Tensor mul(const Tensor& a, const Arg& b) { return a.builder().call("aten.mul.Tensor", {a, b}); }
Tensor div(const Tensor& a, const Arg& b) { return a.builder().call("aten.div.Tensor", {a, b}); }
Tensor pow(const Tensor& a, const Arg& exponent) { return a.builder().call("aten.pow.Tensor_Scalar", {a, exponent}); }
Tensor neg(const Tensor& a) { return a.builder().call("aten.neg.default", {a}); }
Tensor rsqrt(const Tensor& a) { return a.builder().call("aten.rsqrt.default", {a}); }
Tensor sin(const Tensor& a) { return a.builder().call("aten.sin.default", {a}); }
Tensor cos(const Tensor& a) { return a.builder().call("aten.cos.default", {a}); }
Tensor reciprocal(const Tensor& a) { return a.builder().call("aten.reciprocal.default", {a}); }
Tensor mean(const Tensor& a, std::int64_t dim, bool keepdim) {
  return a.builder().call("aten.mean.dim", {a, Shape{dim}, keepdim});
}

Tensor matmul(const Tensor& a, const Tensor& b) { return a.builder().call("aten.matmul.default", {a, b}); }
Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  return input.builder().call("aten.linear.default", {input, weight, bias});
}
Tensor addmm(const Tensor& bias, const Tensor& a, const Tensor& b) {
  return a.builder().call("aten.addmm.default", {bias, a, b});
}
Tensor softmax(const Tensor& a, std::int64_t dim, const Arg& dtype) {
  return a.builder().call("aten.softmax.int", {a, dim, dtype});
}
Tensor layer_norm(const Tensor& input, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps) {
  return input.builder().call("aten.layer_norm.default", {input, normalized, weight, bias, eps});
}
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
                                    bool is_causal, const Arg& scale, bool enable_gqa) {
  return query.builder().call("aten.scaled_dot_product_attention.default", {query, key, value, mask, 0.0, is_causal},
                              {{"scale", scale}, {"enable_gqa", enable_gqa}});
}
Tensor embedding(const Tensor& weight, const Tensor& indices, std::int64_t padding_idx) {
  return weight.builder().call("aten.embedding.default", {weight, indices, padding_idx});
}

Tensor view(const Tensor& a, const Shape& shape) { return a.builder().call("aten.view.default", {a, shape}); }
Tensor reshape(const Tensor& a, const Shape& shape) { return a.builder().call("aten.reshape.default", {a, shape}); }
Tensor transpose(const Tensor& a, std::int64_t dim0, std::int64_t dim1) {
  return a.builder().call("aten.transpose.int", {a, dim0, dim1});
}
Tensor permute(const Tensor& a, const Shape& dims) { return a.builder().call("aten.permute.default", {a, dims}); }
Tensor unsqueeze(const Tensor& a, std::int64_t dim) { return a.builder().call("aten.unsqueeze.default", {a, dim}); }
Tensor expand(const Tensor& a, const Shape& shape) { return a.builder().call("aten.expand.default", {a, shape}); }
Tensor contiguous(const Tensor& a) {
  return is_contiguous(a.type()) ? a : a.builder().call("aten.contiguous.default", {a});
}
Tensor flatten(const Tensor& a, std::int64_t first, std::int64_t last) {
  return a.builder().call("aten.flatten.using_ints", {a, first, last});
}
Tensor select(const Tensor& a, std::int64_t dim, std::int64_t index) {
  return a.builder().call("aten.select.int", {a, dim, index});
}
Tensor slice(const Tensor& a, std::int64_t dim, const Arg& start, const Arg& end, std::int64_t step) {
  return a.builder().call("aten.slice.Tensor", {a, dim, start, end, step});
}
Tensor index_slice(const Tensor& a, std::int64_t dim, std::int64_t start, std::int64_t end) {
  const std::int64_t size = a.size(dim);
  if (start == 0 && size != kDynamic && end >= size) return a;
  return slice(a, dim, start, end);
}
std::vector<Tensor> split(const Tensor& a, std::int64_t size, std::int64_t dim) {
  return a.builder().call_all("aten.split.Tensor", {a, size, dim});
}
std::vector<Tensor> chunk(const Tensor& a, std::int64_t chunks, std::int64_t dim) {
  return a.builder().call_all("aten.chunk.default", {a, chunks, dim});
}
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim) {
  return tensors.front().builder().call("aten.cat.default", {tensors, dim});
}
Tensor to(const Tensor& a, DType dtype) { return a.builder().call("aten.to.dtype", {a, dtype}); }

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Shape& stride, const Shape& padding,
              const Shape& dilation, std::int64_t groups) {
  return input.builder().call("aten.conv2d.default", {input, weight, bias, stride, padding, dilation, groups});
}

}  // namespace nongemm::fn
