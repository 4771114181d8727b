// Operators of the domain com.microsoft: what ONNX Runtime's own tools make of models before they are deployed.
#include <array>

#include "import/onnx/call.h"

namespace nongemm::onnx {
namespace {

void gelu(OnnxCall& c) { c.give(c.call("aten.gelu.default", {c.tensor(0)})); }

void bias_gelu(OnnxCall& c) {
  c.give(c.call("aten.gelu.default", {c.call("aten.add.Tensor", {c.tensor(0), c.tensor(1)})}));
}

void fast_gelu(OnnxCall& c) {
  Tensor x = c.tensor(0);
  if (c.has(1)) x = c.call("aten.add.Tensor", {x, c.tensor(1)});
  c.give(c.call("aten.gelu.default", {x}, {{"approximate", "tanh"}}));
}

void quick_gelu(OnnxCall& c) {
  constexpr double kUsual = 1.702;
  const Tensor x = c.tensor(0);
  const Tensor gate = c.call("aten.sigmoid.default", {c.call("aten.mul.Tensor", {x, c.number("alpha", kUsual)})});
  c.give(c.call("aten.mul.Tensor", {x, gate}));
}

/// (input, skip, gamma, beta, bias); the sum is the fourth result.
void skip_layer_norm(OnnxCall& c) {
  constexpr double kUsual = 1e-12;
  Tensor sum = c.call("aten.add.Tensor", {c.tensor(0), c.tensor(1)});
  const bool simplified = c.node().type == "SkipSimplifiedLayerNormalization";
  const std::size_t bias = simplified ? 3 : 4;
  if (c.has(bias)) sum = c.call("aten.add.Tensor", {sum, c.tensor(bias)});
  const Shape sizes = {sum.size(-1)};
  const double epsilon = c.number("epsilon", kUsual);
  c.give(simplified
             ? c.call("aten.rms_norm.default", {sum, sizes, c.tensor(2), epsilon})
             : c.call("aten.layer_norm.default", {sum, sizes, c.tensor(2), c.optional_tensor(3), epsilon, true}));
  constexpr std::size_t kSum = 3;
  c.give(sum, kSum);
}

void fused_matmul(OnnxCall& c) {
  if (c.integer("transBatchA", 0) != 0 || c.integer("transBatchB", 0) != 0) throw NotMapped();
  Tensor a = c.tensor(0);
  Tensor b = c.tensor(1);
  if (c.integer("transA", 0) != 0) a = c.call("aten.transpose.int", {a, -2, -1});
  if (c.integer("transB", 0) != 0) b = c.call("aten.transpose.int", {b, -2, -1});
  const Tensor product = c.call("aten.matmul.default", {a, b});
  const double alpha = c.number("alpha", 1);
  c.give(alpha == 1 ? product : c.call("aten.mul.Tensor", {product, alpha}));
}

constexpr std::array kRules = {
    OnnxRule{"Gelu", gelu},
    OnnxRule{"BiasGelu", bias_gelu},
    OnnxRule{"FastGelu", fast_gelu},
    OnnxRule{"QuickGelu", quick_gelu},
    OnnxRule{"SkipLayerNormalization", skip_layer_norm},
    OnnxRule{"SkipSimplifiedLayerNormalization", skip_layer_norm},
    OnnxRule{"FusedMatMul", fused_matmul},
};

}  // namespace

std::span<const OnnxRule> microsoft_rules() { return kRules; }

}  // namespace nongemm::onnx
