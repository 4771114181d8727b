// Arithmetic, comparisons, activations.
#include <array>
#include <cmath>

#include "import/onnx_call.h"
#include "import/onnx_tensors.h"

namespace nongemm::onnx {
namespace {

/// A template argument with the operator's name.
template <std::size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&name)[N]) {  // NOLINT: written as the name alone
    for (std::size_t i = 0; i < N; ++i) text[i] = name[i];
  }
};

template <Name kOp>
void unary(OnnxCall& c) {
  c.give(c.call(kOp.text, {c.tensor(0)}));
}

template <Name kOp>
void binary(OnnxCall& c) {
  // The first operand is always a tensor.
  c.give(c.call(kOp.text, {c.tensor(0), c.operand(1)}));
}

/// Operators whose schema has no place for numbers.
template <Name kOp>
void binary_tensors(OnnxCall& c) {
  c.give(c.call(kOp.text, {c.tensor(0), c.tensor(1)}));
}

/// With a number in the first place (2 - x) another operator takes the operands the other way round.
template <Name kOp, Name kSwapped>
void either_way(OnnxCall& c) {
  const Arg first = c.operand(0);
  if (std::holds_alternative<Use>(first.value)) return binary<kOp>(c);
  c.give(c.call(kSwapped.text, {c.tensor(1), first}));
}

template <Name kTensor, Name kScalar>
void compare(OnnxCall& c) {
  const Arg other = c.operand(1);
  const bool is_number = !std::holds_alternative<Use>(other.value);
  c.give(is_number ? c.call(kScalar.text, {c.tensor(0), other}) : c.call(kTensor.text, {c.tensor(0), other}));
}

template <Name kOp>
void fold_over(OnnxCall& c) {
  Tensor result = c.tensor(0);
  for (std::size_t i = 1; i < c.inputs(); ++i) result = c.call(kOp.text, {result, c.tensor(i)});
  c.give(result);
}

void divide(OnnxCall& c) {
  if (is_floating(c.tensor(0).dtype())) return binary<"aten.div.Tensor">(c);
  c.give(c.call("aten.div.Tensor_mode", {c.tensor(0), c.tensor(1)}, {{"rounding_mode", "trunc"}}));
}

void power(OnnxCall& c) {
  const KnownValue* exponent = c.known(1);
  const bool one = exponent != nullptr && exponent->numbers.size() == 1;
  c.give(one ? c.call("aten.pow.Tensor_Scalar", {c.tensor(0), exponent->numbers[0]})
             : c.call("aten.pow.Tensor_Tensor", {c.tensor(0), c.tensor(1)}));
}

void modulo(OnnxCall& c) {
  if (c.integer("fmod", 0) != 0) throw NotMapped();
  binary<"aten.remainder.Tensor">(c);
}

void gelu(OnnxCall& c) {
  c.give(c.call("aten.gelu.default", {c.tensor(0)}, {{"approximate", c.text("approximate", "none")}}));
}

void clip(OnnxCall& c) {
  std::array<Arg, 2> limits = {kNone, kNone};
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const char* attribute = i == 0 ? "min" : "max";
    if (c.opset() < 11 && c.node().find(attribute) != nullptr) limits[i] = c.number(attribute, 0);
    if (!c.has(i + 1)) continue;
    const KnownValue* limit = c.known(i + 1);
    if (limit == nullptr || limit->numbers.size() != 1) throw NotMapped();
    limits[i] = is_floating(limit->dtype) ? Arg(limit->numbers[0]) : Arg(limit->integers()[0]);
  }
  c.give(c.call("aten.clamp.default", {c.tensor(0), limits[0], limits[1]}));
}

void cast(OnnxCall& c) {
  const DType dtype = dtype_of(static_cast<std::int32_t>(c.integer("to", 0)));
  if (dtype == DType::kUndefined) throw NotMapped();
  const Tensor x = c.tensor(0);
  c.give(x.dtype() == dtype ? x : c.call("aten.to.dtype", {x, dtype}));
}

void leaky_relu(OnnxCall& c) { c.give(c.call("aten.leaky_relu.default", {c.tensor(0), c.number("alpha", 0.01)})); }
void elu(OnnxCall& c) { c.give(c.call("aten.elu.default", {c.tensor(0), c.number("alpha", 1.0)})); }

void hard_sigmoid(OnnxCall& c) {
  constexpr double kSixth = 1.0 / 6.0;
  if (std::abs(c.number("alpha", 0.2) - kSixth) > 1e-6 || c.number("beta", 0.5) != 0.5) throw NotMapped();
  unary<"aten.hardsigmoid.default">(c);
}

/// Nothing but NaN differs from itself.
void is_nan(OnnxCall& c) { c.give(c.call("aten.ne.Tensor", {c.tensor(0), c.tensor(0)})); }

void where(OnnxCall& c) { c.give(c.call("aten.where.self", {c.tensor(0), c.tensor(1), c.tensor(2)})); }

constexpr std::array kRules = {
    OnnxRule{"Add", either_way<"aten.add.Tensor", "aten.add.Tensor">},
    OnnxRule{"Mul", either_way<"aten.mul.Tensor", "aten.mul.Tensor">},
    OnnxRule{"Sub", either_way<"aten.sub.Tensor", "aten.rsub.Scalar">},
    OnnxRule{"Div", divide},
    OnnxRule{"Pow", power},
    OnnxRule{"Mod", modulo},
    OnnxRule{"Sum", fold_over<"aten.add.Tensor">},
    OnnxRule{"Max", fold_over<"aten.maximum.default">},
    OnnxRule{"Min", fold_over<"aten.minimum.default">},
    OnnxRule{"Abs", unary<"aten.abs.default">},
    OnnxRule{"Neg", unary<"aten.neg.default">},
    OnnxRule{"Exp", unary<"aten.exp.default">},
    OnnxRule{"Log", unary<"aten.log.default">},
    OnnxRule{"Sqrt", unary<"aten.sqrt.default">},
    OnnxRule{"Reciprocal", unary<"aten.reciprocal.default">},
    OnnxRule{"Sin", unary<"aten.sin.default">},
    OnnxRule{"Cos", unary<"aten.cos.default">},
    OnnxRule{"Tanh", unary<"aten.tanh.default">},
    OnnxRule{"Erf", unary<"aten.erf.default">},
    OnnxRule{"Floor", unary<"aten.floor.default">},
    OnnxRule{"Ceil", unary<"aten.ceil.default">},
    OnnxRule{"Round", unary<"aten.round.default">},
    OnnxRule{"Sign", unary<"aten.sign.default">},
    OnnxRule{"Sigmoid", unary<"aten.sigmoid.default">},
    OnnxRule{"Relu", unary<"aten.relu.default">},
    OnnxRule{"Softplus", unary<"aten.softplus.default">},
    OnnxRule{"HardSwish", unary<"aten.hardswish.default">},
    OnnxRule{"Mish", unary<"aten.mish.default">},
    OnnxRule{"Not", unary<"aten.logical_not.default">},
    OnnxRule{"And", binary_tensors<"aten.logical_and.default">},
    OnnxRule{"Or", binary_tensors<"aten.logical_or.default">},
    OnnxRule{"Equal", compare<"aten.eq.Tensor", "aten.eq.Scalar">},
    OnnxRule{"Less", compare<"aten.lt.Tensor", "aten.lt.Scalar">},
    OnnxRule{"LessOrEqual", compare<"aten.le.Tensor", "aten.le.Scalar">},
    OnnxRule{"Greater", compare<"aten.gt.Tensor", "aten.gt.Scalar">},
    OnnxRule{"GreaterOrEqual", compare<"aten.ge.Tensor", "aten.ge.Scalar">},
    OnnxRule{"Gelu", gelu},
    OnnxRule{"Clip", clip},
    OnnxRule{"Cast", cast},
    OnnxRule{"LeakyRelu", leaky_relu},
    OnnxRule{"Elu", elu},
    OnnxRule{"HardSigmoid", hard_sigmoid},
    OnnxRule{"IsNaN", is_nan},
    OnnxRule{"Where", where},
};

}  // namespace

std::span<const OnnxRule> elementwise_rules() { return kRules; }

}  // namespace nongemm::onnx
