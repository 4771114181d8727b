// Activation functions: element-wise, non-linear in one operand. Paper II-A2.
#include <array>
#include <cmath>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kSimple = {.single_operation = true, .single_operand = true, .nonlinear = true};
constexpr Traits kCompound = {.single_operand = true, .nonlinear = true};

constexpr OpEntry activation(std::string_view schema, std::string_view variant, Traits traits, CostRule cost,
                             LowerRule lower) {
  return {.schema = schema,
          .group = Group::kActivation,
          .variant = variant,
          .traits = traits,
          .infer = like_first,
          .cost = cost,
          .lower = lower};
}

constexpr OpEntry in_place_activation(std::string_view schema, std::string_view variant, Traits traits, CostRule cost,
                                      LowerRule lower) {
  OpEntry entry = activation(schema, variant, traits, cost, lower);
  entry.infer = in_place;
  return entry;
}

// --- ONNX ---
void relu6(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Clip", {onnx.tensor(0), onnx.scalar(0.0, dtype), onnx.scalar(6.0, dtype)}));
}

void hardtanh(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Clip", {onnx.tensor(0), onnx.tensor(1, dtype), onnx.tensor(2, dtype)}));
}

/// The sequences that runtimes recognise and fuse into one operator.
void gelu(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  const std::string approximate(onnx.operands().text(1));
  const auto x = onnx.tensor(0);
  if (onnx.may_use_compound(20)) return onnx.result(onnx.add("Gelu", {x}, {{"approximate", approximate}}));
  const auto one = onnx.scalar(1.0, dtype);
  const auto half = onnx.scalar(0.5, dtype);
  if (approximate == "none") {
    const auto erf = onnx.add("Erf", {onnx.add("Div", {x, onnx.scalar(std::sqrt(2.0), dtype)})});
    return onnx.result(onnx.add("Mul", {onnx.add("Mul", {x, onnx.add("Add", {erf, one})}), half}));
  }
  const auto cube = onnx.add("Pow", {x, onnx.scalar(3.0, dtype)});
  const auto sum = onnx.add("Add", {x, onnx.add("Mul", {cube, onnx.scalar(0.044715, dtype)})});
  const auto tanh = onnx.add("Tanh", {onnx.add("Mul", {sum, onnx.scalar(std::sqrt(2.0 / M_PI), dtype)})});
  onnx.result(onnx.add("Mul", {onnx.add("Mul", {x, half}), onnx.add("Add", {tanh, one})}));
}

void silu(OnnxLowering& onnx) {
  const auto x = onnx.tensor(0);
  onnx.result(onnx.add("Mul", {x, onnx.add("Sigmoid", {x})}));
}

void leaky_relu(OnnxLowering& onnx) {
  onnx.result(onnx.add("LeakyRelu", {onnx.tensor(0)}, {{"alpha", onnx.operands().number(1)}}));
}

void elu(OnnxLowering& onnx) {
  if (onnx.operands().number(2) != 1.0 || onnx.operands().number(3) != 1.0) onnx.unsupported("scales");
  onnx.result(onnx.add("Elu", {onnx.tensor(0)}, {{"alpha", onnx.operands().number(1)}}));
}

OnnxLowering::Name hardsigmoid_of(OnnxLowering& onnx, const OnnxLowering::Name& x) {
  return onnx.add("HardSigmoid", {x}, {{"alpha", 1.0 / 6.0}, {"beta", 0.5}});
}

void hardsigmoid(OnnxLowering& onnx) { onnx.result(hardsigmoid_of(onnx, onnx.tensor(0))); }

void hardswish(OnnxLowering& onnx) {
  const auto x = onnx.tensor(0);
  if (onnx.may_use_compound(14)) return onnx.result(onnx.add("HardSwish", {x}));
  onnx.result(onnx.add("Mul", {x, hardsigmoid_of(onnx, x)}));
}

void softplus(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  const double beta = onnx.operands().number(1);
  if (beta == 1.0) return onnx.result(onnx.add("Softplus", {onnx.tensor(0)}));
  const auto scaled = onnx.add("Mul", {onnx.tensor(0), onnx.scalar(beta, dtype)});
  onnx.result(onnx.add("Div", {onnx.add("Softplus", {scaled}), onnx.scalar(beta, dtype)}));
}

void mish(OnnxLowering& onnx) {
  const auto x = onnx.tensor(0);
  if (onnx.may_use_compound(18)) return onnx.result(onnx.add("Mish", {x}));
  onnx.result(onnx.add("Mul", {x, onnx.add("Tanh", {onnx.add("Softplus", {x})})}));
}

// Operations per element: tanh and exp count as one, erf as one.
constexpr std::array kEntries = {
    activation("aten::relu(Tensor self) -> Tensor", "ReLU", kSimple, per_output<1>, onnx_rules::unary<"Relu">),
    in_place_activation("aten::relu_(Tensor(a!) self) -> Tensor(a!)", "ReLU", kSimple, per_output<1>,
                        onnx_rules::unary<"Relu">),
    activation("aten::relu6(Tensor self) -> Tensor", "ReLU6", kSimple, per_output<2>, relu6),
    activation("aten::gelu(Tensor self, *, str approximate='none') -> Tensor", "GELU", kCompound, per_output<5>, gelu),
    in_place_activation("aten::gelu_(Tensor(a!) self, *, str approximate='none') -> Tensor(a!)", "GELU", kCompound,
                        per_output<5>, gelu),
    activation("aten::silu(Tensor self) -> Tensor", "SiLU", kCompound, per_output<4>, silu),
    in_place_activation("aten::silu_(Tensor(a!) self) -> Tensor(a!)", "SiLU", kCompound, per_output<4>, silu),
    activation("aten::tanh(Tensor self) -> Tensor", "Tanh", kSimple, per_output<1>, onnx_rules::unary<"Tanh">),
    activation("aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", "LeakyReLU", kSimple,
               per_output<2>, leaky_relu),
    activation("aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", "ELU",
               kCompound, per_output<4>, elu),
    activation("aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", "Hardtanh", kSimple,
               per_output<2>, hardtanh),
    activation("aten::hardswish(Tensor self) -> Tensor", "Hardswish", kCompound, per_output<4>, hardswish),
    activation("aten::hardsigmoid(Tensor self) -> Tensor", "Hardsigmoid", kCompound, per_output<3>, hardsigmoid),
    activation("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", "Softplus", kCompound,
               per_output<3>, softplus),
    activation("aten::mish(Tensor self) -> Tensor", "Mish", kCompound, per_output<5>, mish),
};

}  // namespace

std::span<const OpEntry> activation_entries() { return kEntries; }

}  // namespace nongemm
