// transformers' activation functions by their names in configurations (activations.py, ACT2FN), each in the scope of
// its module class and with the operators that its formula dispatches.
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/text.h"
#include "models/parts/functional.h"

namespace nongemm::fn {

Tensor gelu(const Tensor& input, const char* approximate) {
  return input.builder().call("aten.gelu.default", {input}, {{"approximate", approximate}});
}
Tensor relu(const Tensor& input) { return input.builder().call("aten.relu.default", {input}); }
Tensor relu_(const Tensor& input) { return input.builder().call("aten.relu_.default", {input}); }

namespace {

Tensor call(const Tensor& input, std::string_view op) { return input.builder().call(op, {input}); }
Tensor tanh(const Tensor& input) { return call(input, "aten.tanh.default"); }
Tensor erf(const Tensor& input) { return call(input, "aten.erf.default"); }

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), operator by operator.
Tensor tanh_gelu(const Tensor& x) {
  const Tensor half = mul(x, 0.5);
  const Tensor cube = pow(x, 3.0);
  const Tensor inner = mul(add(x, mul(cube, 0.044715)), std::sqrt(2.0 / std::numbers::pi));
  return mul(half, add(tanh(inner), 1.0));
}

/// 0.5 x (1 + tanh(0.7978845608 x (1 + 0.044715 x x)))
Tensor fast_gelu(const Tensor& x) {
  const Tensor half = mul(x, 0.5);
  const Tensor scaled = mul(x, 0.7978845608);
  const Tensor inner = mul(scaled, add(mul(mul(x, 0.044715), x), 1.0));
  return mul(half, add(tanh(inner), 1.0));
}

/// 0.5 x (1 + erf(x / sqrt(2)))
Tensor erf_gelu(const Tensor& x) {
  const Tensor half = mul(x, 0.5);
  return mul(half, add(erf(div(x, std::numbers::sqrt2)), 1.0));
}

/// The distribution function of a normal variable of mean sqrt(1/2) and deviation sqrt(1/(4 pi)).
Tensor laplace(const Tensor& x) {
  return mul(add(erf(div(sub(x, 0.707107), 0.282095 * std::numbers::sqrt2)), 1.0), 0.5);
}

struct NamedActivation {
  std::string_view name;
  const char* module;
  Tensor (*apply)(const Tensor&);
};

constexpr std::array kActivations = {
    NamedActivation{"gelu", "GELUActivation", [](const Tensor& x) { return gelu(x); }},
    NamedActivation{"gelu_10", "ClippedGELUActivation",
                    [](const Tensor& x) {
                      return x.builder().call("aten.clip.default", {gelu(x), -10, 10});
                    }},
    NamedActivation{"gelu_accurate", "AccurateGELUActivation", tanh_gelu},
    NamedActivation{"gelu_fast", "FastGELUActivation", fast_gelu},
    NamedActivation{"gelu_new", "NewGELUActivation", tanh_gelu},
    NamedActivation{"gelu_python", "GELUActivation", erf_gelu},
    NamedActivation{"gelu_python_tanh", "GELUTanh", tanh_gelu},
    NamedActivation{"gelu_pytorch_tanh", "GELUTanh", [](const Tensor& x) { return gelu(x, "tanh"); }},
    NamedActivation{"hardswish", "Hardswish", [](const Tensor& x) { return call(x, "aten.hardswish.default"); }},
    NamedActivation{"laplace", "LaplaceActivation", laplace},
    NamedActivation{"leaky_relu", "LeakyReLU", [](const Tensor& x) { return call(x, "aten.leaky_relu.default"); }},
    NamedActivation{"linear", "LinearActivation", [](const Tensor& x) { return x; }},
    NamedActivation{"mish", "MishActivation", [](const Tensor& x) { return call(x, "aten.mish.default"); }},
    NamedActivation{"quick_gelu", "QuickGELUActivation",
                    [](const Tensor& x) { return mul(x, call(mul(x, 1.702), "aten.sigmoid.default")); }},
    NamedActivation{"relu", "ReLU", [](const Tensor& x) { return relu(x); }},
    NamedActivation{"relu2", "ReLUSquaredActivation",
                    [](const Tensor& x) { return call(relu(x), "aten.square.default"); }},
    NamedActivation{"relu6", "ReLU6",
                    [](const Tensor& x) {
                      return x.builder().call("aten.hardtanh.default", {x, 0.0, 6.0});
                    }},
    NamedActivation{"sigmoid", "Sigmoid", [](const Tensor& x) { return call(x, "aten.sigmoid.default"); }},
    NamedActivation{"silu", "SiLUActivation", [](const Tensor& x) { return call(x, "aten.silu.default"); }},
    NamedActivation{"sqrtsoftplus", "SqrtSoftplusActivation",
                    [](const Tensor& x) { return call(call(x, "aten.softplus.default"), "aten.sqrt.default"); }},
    NamedActivation{"swish", "SiLU", [](const Tensor& x) { return call(x, "aten.silu.default"); }},
    NamedActivation{"tanh", "Tanh", [](const Tensor& x) { return tanh(x); }},
};

}  // namespace

Tensor activation(const Tensor& input, std::string_view name, const char* module) {
  std::vector<std::string> known;
  for (const NamedActivation& entry : kActivations) {
    if (entry.name == name) {
      const auto scope = input.builder().scope(module, entry.module);
      return entry.apply(input);
    }
    known.emplace_back(entry.name);
  }
  throw Error(ErrorKind::kUnsupported, "activation '" + std::string(name) + "' is not built in",
              did_you_mean(name, known));
}

}  // namespace nongemm::fn
