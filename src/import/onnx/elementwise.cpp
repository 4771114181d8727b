// Arithmetic, comparisons, activations.
#include <array>
#include <cmath>

#include "import/onnx/call.h"
#include "import/onnx/tensors.h"
#include "onnx/wire.h"

namespace nongemm::onnx {
namespace {

/// A template argument with the operator's name.
template <std::size_t kSize>
struct Name {
  char text[kSize];
  constexpr Name(const char (&name)[kSize]) {  // NOLINT: written as the name alone
    for (std::size_t i = 0; i < kSize; ++i) text[i] = name[i];
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
  if (c.integer("fmod", 0) == 0) return binary<"aten.remainder.Tensor">(c);
  const Tensor x = c.tensor(0);
  const Tensor y = c.tensor(1);
  if (x.shape() != y.shape() && !y.shape().empty()) throw NotMapped();
  c.give(c.call_outside("aten.fmod.Tensor", {{"self", x}, {"other", y}}, OnnxCall::dense(x.dtype(), x.shape())));
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
  const auto given = [](const Arg& limit) { return !std::holds_alternative<std::monostate>(limit.value); };
  if (!given(limits[0]) && !given(limits[1])) return c.give(c.tensor(0));
  c.give(c.call("aten.clamp.default", {c.tensor(0), limits[0], limits[1]}));
}

void cast(OnnxCall& c) {
  const DType dtype = dtype_of(static_cast<std::int32_t>(c.integer("to", 0)));
  if (dtype == DType::kUndefined) throw NotMapped();
  const Tensor x = c.tensor(0);
  c.give(x.dtype() == dtype ? x : c.call("aten.to.dtype", {x, dtype}));
}

void cast_like(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const DType dtype = c.tensor(1).dtype();
  c.give(x.dtype() == dtype ? x : c.call("aten.to.dtype", {x, dtype}));
}

void leaky_relu(OnnxCall& c) { c.give(c.call("aten.leaky_relu.default", {c.tensor(0), c.number("alpha", 0.01)})); }
void elu(OnnxCall& c) { c.give(c.call("aten.elu.default", {c.tensor(0), c.number("alpha", 1.0)})); }

void hard_sigmoid(OnnxCall& c) {
  constexpr double kSixth = 1.0 / 6.0;
  const double alpha = c.number("alpha", 0.2);
  const double beta = c.number("beta", 0.5);
  if (std::abs(alpha - kSixth) < 1e-6 && beta == 0.5) return unary<"aten.hardsigmoid.default">(c);
  const Tensor line = c.call("aten.add.Tensor", {c.call("aten.mul.Tensor", {c.tensor(0), alpha}), beta});
  c.give(c.call("aten.clamp.default", {line, 0.0, 1.0}));
}

/// Like its operand but for the type of elements.
Type like(const Tensor& x, DType dtype) { return OnnxCall::dense(dtype, x.shape()); }

/// Operators that PyTorch has and the table lacks.
template <Name kOp>
void unary_outside(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call_outside(kOp.text, {{"self", x}}, like(x, x.dtype())));
}

void celu(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call_outside("aten.celu.default", {{"self", x}, {"alpha", c.number("alpha", 1)}}, like(x, x.dtype())));
}

void selu(OnnxCall& c) {
  constexpr double kAlpha = 1.67326319217681884765625;
  constexpr double kGamma = 1.05070102214813232421875;
  const double alpha = c.number("alpha", kAlpha);
  const double gamma = c.number("gamma", kGamma);
  const Tensor x = c.tensor(0);
  if (alpha == kAlpha && gamma == kGamma) return unary_outside<"aten.selu.default">(c);
  c.give(c.call("aten.elu.default", {x, alpha, gamma}));
}

void is_infinite(OnnxCall& c) {
  if (c.integer("detect_negative", 1) == 0 || c.integer("detect_positive", 1) == 0) throw NotMapped();
  const Tensor x = c.tensor(0);
  c.give(c.call_outside("aten.isinf.default", {{"self", x}}, like(x, DType::kBool)));
}

void softsign(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.div.Tensor", {x, c.call("aten.add.Tensor", {c.call("aten.abs.default", {x}), 1.0})}));
}

void swish(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const double alpha = c.number("alpha", 1);
  if (alpha == 1) return c.give(c.call("aten.silu.default", {x}));
  const Tensor gate = c.call("aten.sigmoid.default", {c.call("aten.mul.Tensor", {x, alpha})});
  c.give(c.call("aten.mul.Tensor", {x, gate}));
}

void thresholded_relu(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const Tensor above = c.call("aten.gt.Scalar", {x, c.number("alpha", 1)});
  c.give(c.call("aten.where.ScalarOther", {above, x, 0.0}));
}

/// The slope may have a dimension per channel, or any other that fits.
void prelu(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const Tensor negative = c.call("aten.mul.Tensor", {x, c.tensor(1)});
  c.give(c.call("aten.where.self", {c.call("aten.gt.Scalar", {x, 0.0}), x, negative}));
}

void exclusive_or(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const Tensor y = c.tensor(1);
  c.give(c.call("aten.ne.Tensor", {x, y}));
}

void mean_of_all(OnnxCall& c) {
  Tensor sum = c.tensor(0);
  for (std::size_t i = 1; i < c.inputs(); ++i) sum = c.call("aten.add.Tensor", {sum, c.tensor(i)});
  c.give(c.inputs() == 1 ? sum : c.call("aten.div.Tensor", {sum, static_cast<double>(c.inputs())}));
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
    OnnxRule{"CastLike", cast_like},
    OnnxRule{"LeakyRelu", leaky_relu},
    OnnxRule{"Elu", elu},
    OnnxRule{"HardSigmoid", hard_sigmoid},
    OnnxRule{"IsNaN", is_nan},
    OnnxRule{"IsInf", is_infinite},
    OnnxRule{"Celu", celu},
    OnnxRule{"Selu", selu},
    OnnxRule{"Softsign", softsign},
    OnnxRule{"Swish", swish},
    OnnxRule{"ThresholdedRelu", thresholded_relu},
    OnnxRule{"PRelu", prelu},
    OnnxRule{"Xor", exclusive_or},
    OnnxRule{"Mean", mean_of_all},
    OnnxRule{"BitwiseAnd", binary_tensors<"aten.bitwise_and.Tensor">},
    OnnxRule{"BitwiseOr", binary_tensors<"aten.bitwise_or.Tensor">},
    OnnxRule{"BitwiseNot", unary<"aten.bitwise_not.default">},
    OnnxRule{"Tan", unary_outside<"aten.tan.default">},
    OnnxRule{"Asin", unary_outside<"aten.asin.default">},
    OnnxRule{"Acos", unary_outside<"aten.acos.default">},
    OnnxRule{"Atan", unary_outside<"aten.atan.default">},
    OnnxRule{"Sinh", unary_outside<"aten.sinh.default">},
    OnnxRule{"Cosh", unary_outside<"aten.cosh.default">},
    OnnxRule{"Asinh", unary_outside<"aten.asinh.default">},
    OnnxRule{"Acosh", unary_outside<"aten.acosh.default">},
    OnnxRule{"Atanh", unary_outside<"aten.atanh.default">},
    OnnxRule{"Where", where},
};

}  // namespace

std::span<const OnnxRule> elementwise_rules() { return kRules; }

}  // namespace nongemm::onnx
