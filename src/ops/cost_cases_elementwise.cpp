// Cases of operators that calculate each element of their result from elements at the same place.
#include <set>

#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

const std::vector<Shape> kShapes = {{2, 3, 4}, {5}, {1, 7, 2, 3}};

/// Another operand of the same number of dimensions, which is stretched along the first of them.
Shape stretched(Shape shape) {
  shape[0] = 1;
  return shape;
}

Case unary(const std::string& op, double per_element, DType dtype = DType::kFloat32, int width = 4, int width_out = 0) {
  return [=](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    b.call(op, {operand(b, shape, dtype)});
    return Work{per_element * count(shape), bytes(shape, width), bytes(shape, width_out == 0 ? width : width_out)};
  };
}

Case with_arguments(const std::string& op, double per_element, std::vector<Arg> more, int width_out = 4) {
  return [=](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    switch (more.size()) {
      case 1:
        b.call(op, {operand(b, shape), more[0]});
        break;
      default:
        b.call(op, {operand(b, shape), more.at(0), more.at(1)});
    }
    return Work{per_element * count(shape), bytes(shape), bytes(shape, width_out)};
  };
}

Case binary(const std::string& op, int width_out = 4, DType dtype = DType::kFloat32, int width = 4) {
  return [=](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    const Shape other = stretched(shape);
    b.call(op, {operand(b, shape, dtype), operand(b, other, dtype)});
    return Work{count(shape), bytes(shape, width) + bytes(other, width), bytes(shape, width_out)};
  };
}

void add_unary(Cases& cases) {
  for (const char* name :
       {"relu",  "relu_", "tanh", "neg",   "abs",   "sign",  "square", "floor",      "ceil", "round", "exp",
        "expm1", "log",   "log2", "log1p", "log10", "sqrt",  "rsqrt",  "reciprocal", "sin",  "cos",   "tan",
        "asin",  "acos",  "atan", "sinh",  "cosh",  "asinh", "acosh",  "atanh",      "erf",  "trunc"}) {
    cases[std::string("aten.") + name + ".default"] = unary(std::string("aten.") + name + ".default", 1);
  }
  const std::map<std::string, double> several = {
      {"relu6", 2},     {"leaky_relu", 2}, {"hardtanh", 2}, {"hardsigmoid", 3}, {"softplus", 3},
      {"sigmoid", 3},   {"sigmoid_", 3},   {"silu", 4},     {"silu_", 4},       {"elu", 4},
      {"hardswish", 4}, {"gelu", 5},       {"gelu_", 5},    {"mish", 5}};
  for (const auto& [name, operations] : several) {
    cases["aten." + name + ".default"] = unary("aten." + name + ".default", operations);
  }
  for (const char* name : {"logical_not", "isnan", "isinf"}) {
    const std::string op = std::string("aten.") + name + ".default";
    cases[op] = unary(op, 1, DType::kFloat32, 4, 1);
  }
  cases["aten.bitwise_not.default"] = unary("aten.bitwise_not.default", 1, DType::kBool, 1);
}

void add_binary(Cases& cases) {
  for (const char* op :
       {"add.Tensor", "add_.Tensor", "sub.Tensor", "sub_.Tensor", "rsub.Tensor", "mul.Tensor", "mul_.Tensor",
        "div.Tensor", "div_.Tensor", "floor_divide.default", "remainder.Tensor", "fmod.Tensor", "atan2.default",
        "pow.Tensor_Tensor", "maximum.default", "minimum.default", "max.other", "min.other"}) {
    cases[std::string("aten.") + op] = binary(std::string("aten.") + op);
  }
  cases["aten.atan2.out"] = [](Builder& b, int v) {  // what is written over is not read
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    b.call("aten.atan2.out", {operand(b, shape), operand(b, shape)}, {{"out", operand(b, shape)}});
    return Work{count(shape), 2 * bytes(shape), bytes(shape)};
  };
  for (const char* op : {"eq.Tensor", "ne.Tensor", "lt.Tensor", "le.Tensor", "gt.Tensor", "ge.Tensor",
                         "logical_and.default", "logical_or.default", "logical_xor.default"}) {
    cases[std::string("aten.") + op] = binary(std::string("aten.") + op, 1);
  }
  for (const char* op :
       {"__and__.Tensor", "__or__.Tensor", "bitwise_and.Tensor", "bitwise_or.Tensor", "bitwise_xor.Tensor"}) {
    cases[std::string("aten.") + op] = binary(std::string("aten.") + op, 8, DType::kInt64, 8);
  }
  for (const char* op : {"add.Scalar", "sub.Scalar", "rsub.Scalar", "mul.Scalar", "div.Scalar", "remainder.Scalar",
                         "fmod.Scalar", "pow.Tensor_Scalar", "clamp_min.default", "clamp_max.default"}) {
    cases[std::string("aten.") + op] = with_arguments(std::string("aten.") + op, 1, {2});
  }
  for (const char* op : {"eq.Scalar", "ne.Scalar", "lt.Scalar", "le.Scalar", "gt.Scalar", "ge.Scalar"}) {
    cases[std::string("aten.") + op] = with_arguments(std::string("aten.") + op, 1, {2}, 1);
  }
  for (const char* op : {"clip.default", "clamp.default", "clamp_.default"}) {
    cases[std::string("aten.") + op] = with_arguments(std::string("aten.") + op, 2, {-1.0, 1.0});
  }
  for (const char* op : {"bitwise_and.Scalar", "bitwise_or.Scalar", "bitwise_xor.Scalar"}) {
    cases[std::string("aten.") + op] = [op](Builder& b, int v) {
      const Shape& shape = kShapes[static_cast<std::size_t>(v)];
      b.call(std::string("aten.") + op, {operand(b, shape, DType::kInt64), 3});
      return Work{count(shape), bytes(shape, 8), bytes(shape, 8)};
    };
  }
}

void add_others(Cases& cases) {
  for (const bool number : {false, true}) {
    const std::string op = number ? "aten.div.Scalar_mode" : "aten.div.Tensor_mode";
    cases[op] = [=](Builder& b, int v) {
      const Shape& shape = kShapes[static_cast<std::size_t>(v)];
      b.call(op, {operand(b, shape), number ? Arg(2.0) : Arg(operand(b, shape))}, {{"rounding_mode", "floor"}});
      return Work{count(shape), bytes(shape) * (number ? 1 : 2), bytes(shape)};
    };
  }
  cases["aten.pow.Scalar"] = [](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    b.call("aten.pow.Scalar", {2.0, operand(b, shape)});
    return Work{count(shape), bytes(shape), bytes(shape)};
  };
  cases["aten.clamp.Tensor"] = [](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    const Shape other = stretched(shape);
    b.call("aten.clamp.Tensor", {operand(b, shape), operand(b, other), operand(b, shape)});
    return Work{2 * count(shape), 2 * bytes(shape) + bytes(other), bytes(shape)};
  };
  cases["aten.diff.default"] = [](Builder& b, int v) {
    const Shape& shape = kShapes[static_cast<std::size_t>(v)];
    Shape result = shape;
    --result.back();
    b.call("aten.diff.default", {operand(b, shape)});
    return Work{count(result), bytes(shape), bytes(result)};
  };
  // The condition is one byte wide, and not read where the branches are.
  const auto where = [&](const std::string& op, bool self, bool other) {
    cases[op] = [=](Builder& b, int v) {
      const Shape& shape = kShapes[static_cast<std::size_t>(v)];
      b.call(op, {operand(b, shape, DType::kBool), self ? Arg(operand(b, shape)) : Arg(1.0),
                  other ? Arg(operand(b, shape)) : Arg(1.0)});
      return Work{count(shape), bytes(shape, 1) + bytes(shape) * (self + other), bytes(shape)};
    };
  };
  where("aten.where.self", true, true);
  where("aten.where.ScalarOther", true, false);
  where("aten.where.ScalarSelf", false, true);
  where("aten.where.Scalar", false, false);
  for (const std::string op : {"aten.masked_fill.Scalar", "aten.masked_fill_.Scalar"}) {
    cases[op] = [op](Builder& b, int v) {
      const Shape& shape = kShapes[static_cast<std::size_t>(v)];
      b.call(op, {operand(b, shape), operand(b, stretched(shape), DType::kBool), 0.0});
      return Work{count(shape), bytes(shape) + bytes(stretched(shape), 1), bytes(shape)};
    };
  }
}

/// Softmax: a maximum, a difference, an exponential, a sum and a quotient for each element; its logarithm one more.
void add_softmax(Cases& cases) {
  const auto add = [&](const std::string& op, double operations, const Arg& last, int width_out) {
    cases[op] = [=](Builder& b, int v) {
      const Shape& shape = kShapes[static_cast<std::size_t>(v)];
      b.call(op, {operand(b, shape), -1, last});
      return Work{operations * count(shape), bytes(shape), bytes(shape, width_out)};
    };
  };
  add("aten.softmax.int", 5, kNone, 4);
  add("aten.log_softmax.int", 6, DType::kFloat64, 8);
  add("aten._softmax.default", 5, false, 4);
  add("aten._log_softmax.default", 6, false, 4);
}

}  // namespace

Cases elementwise() {
  Cases cases;
  add_unary(cases);
  add_binary(cases);
  add_others(cases);
  add_softmax(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
