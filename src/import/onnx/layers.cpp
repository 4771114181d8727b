// Matrix multiplications, normalizations, softmax.
#include <algorithm>
#include <array>
#include <limits>

#include "import/onnx/call.h"

namespace nongemm::onnx {
namespace {

using Axes = std::vector<std::int64_t>;

Tensor swapped(OnnxCall& c, const Tensor& matrix) { return c.call("aten.t.default", {matrix}); }

void gemm(OnnxCall& c) {
  const Tensor a = c.tensor(0);
  const Tensor b = c.tensor(1);
  const double alpha = c.number("alpha", 1);
  const double beta = c.number("beta", 1);
  const bool trans_a = c.integer("transA", 0) != 0;
  const bool trans_b = c.integer("transB", 0) != 0;
  const Tensor bias = c.optional_tensor(2);
  if (!trans_a && trans_b && alpha == 1 && (!bias || (beta == 1 && bias.rank() == 1 && bias.size(0) == b.size(0)))) {
    return c.give(c.call("aten.linear.default", {a, b, bias}));
  }
  const Tensor left = trans_a ? swapped(c, a) : a;
  const Tensor right = trans_b ? swapped(c, b) : b;
  if (!bias) {
    if (alpha != 1) throw NotMapped();
    return c.give(c.call("aten.mm.default", {left, right}));
  }
  c.give(c.call("aten.addmm.default", {bias, left, right}, {{"beta", beta}, {"alpha", alpha}}));
}

void matmul(OnnxCall& c) { c.give(c.call("aten.matmul.default", {c.tensor(0), c.tensor(1)})); }

void einsum(OnnxCall& c) {
  std::vector<Tensor> operands;
  for (std::size_t i = 0; i < c.inputs(); ++i) operands.push_back(c.tensor(i));
  c.give(c.call("aten.einsum.default", {c.text("equation", ""), operands}));
}

void batch_norm(OnnxCall& c) {
  if (c.integer("training_mode", 0) != 0) throw NotMapped();
  c.give(c.call("aten.batch_norm.default", {c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4), false, 0.1,
                                            c.number("epsilon", 1e-5), true}));
}

/// The sizes from `axis` on, which a layer norm covers.
Shape sizes_from(const Tensor& x, std::int64_t axis) {
  const std::int64_t begin = axis < 0 ? axis + x.rank() : axis;
  Shape sizes;
  for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < x.rank(); ++i) sizes.push_back(x.size(i));
  return sizes;
}

void layer_norm(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.layer_norm.default", {x, sizes_from(x, c.integer("axis", -1)), c.tensor(1), c.optional_tensor(2),
                                            c.number("epsilon", 1e-5), true}));
}

void rms_norm(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.rms_norm.default",
                {x, sizes_from(x, c.integer("axis", -1)), c.tensor(1), c.number("epsilon", 1e-5)}));
}

void instance_norm(OnnxCall& c) {
  c.give(c.call("aten.instance_norm.default",
                {c.tensor(0), c.tensor(1), c.tensor(2), kNone, kNone, true, 0.1, c.number("epsilon", 1e-5), true}));
}

void group_norm(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t groups = c.integer("num_groups", 1);
  Tensor scale = c.tensor(1);
  Tensor bias = c.tensor(2);
  if (c.opset() < 21 && groups > 0 && groups != x.size(1)) {  // before, scale and bias were per group
    const std::int64_t each = x.size(1) / groups;
    scale = c.call("aten.repeat_interleave.self_int", {scale, each});
    bias = c.call("aten.repeat_interleave.self_int", {bias, each});
  }
  c.give(c.call("aten.group_norm.default", {x, groups, scale, bias, c.number("epsilon", 1e-5), true}));
}

/// Divides by the length of the vectors along one axis.
void lp_norm(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.integer("axis", -1);
  const bool squares = c.integer("p", 2) == 2;
  const Tensor parts = squares ? c.call("aten.mul.Tensor", {x, x}) : c.call("aten.abs.default", {x});
  Tensor length = c.call("aten.sum.dim_IntList", {parts, Shape{axis}, true});
  if (squares) length = c.call("aten.sqrt.default", {length});
  // A vector of zeros stays one.
  const double least = x.dtype() == DType::kFloat16 ? 0x1p-24 : std::numeric_limits<float>::min();
  c.give(c.call("aten.div.Tensor", {x, c.call("aten.clamp.default", {length, least, kNone})}));
}

/// Before opset 13 the operand was taken as a matrix, which is the same for the last axis.
std::int64_t softmax_axis(const OnnxCall& c, const Tensor& x) {
  const std::int64_t axis = c.integer("axis", c.opset() < 13 ? 1 : -1);
  const bool last = axis == -1 || axis == x.rank() - 1;
  if (c.opset() < 13 && !last) throw NotMapped();
  return axis;
}

void softmax(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.softmax.int", {x, softmax_axis(c, x)}));
}

void log_softmax(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.log_softmax.int", {x, softmax_axis(c, x)}));
}

constexpr std::array kRules = {
    OnnxRule{"Gemm", gemm},
    OnnxRule{"MatMul", matmul},
    OnnxRule{"Einsum", einsum},
    OnnxRule{"BatchNormalization", batch_norm},
    OnnxRule{"LayerNormalization", layer_norm},
    OnnxRule{"RMSNormalization", rms_norm},
    OnnxRule{"InstanceNormalization", instance_norm},
    OnnxRule{"GroupNormalization", group_norm},
    OnnxRule{"LpNormalization", lp_norm},
    OnnxRule{"Softmax", softmax},
    OnnxRule{"LogSoftmax", log_softmax},
};

}  // namespace

std::span<const OnnxRule> layer_rules() { return kRules; }

}  // namespace nongemm::onnx
