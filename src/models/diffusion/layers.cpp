#include "models/diffusion/layers.h"

#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"

namespace nongemm::diffusion {

using namespace fn;

Tensor activation(Builder& b, const std::string& module, std::string_view name, const Tensor& x) {
  struct Row {
    std::string_view name;
    const char* type;
    std::string_view op;
  };
  static constexpr std::array kRows = {
      Row{"silu", "SiLU", "aten.silu.default"}, Row{"swish", "SiLU", "aten.silu.default"},
      Row{"mish", "Mish", "aten.mish.default"}, Row{"gelu", "GELU", "aten.gelu.default"},
      Row{"relu", "ReLU", "aten.relu.default"},
  };
  std::vector<std::string> known;
  for (const Row& row : kRows) {
    if (row.name == name) {
      const auto scope = b.scope(module, row.type);
      return b.call(row.op, {x});
    }
    known.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUnsupported, "activation '" + std::string(name) + "' is not built in",
              did_you_mean(name, known));
}

Tensor group_norm(Builder& b, const std::string& name, const Tensor& x, std::int64_t groups, double epsilon) {
  const auto scope = b.scope(name, "GroupNorm");
  const std::int64_t channels = x.size(1);
  const Tensor weight = b.parameter("weight", {channels}, InitSpec::constant(1));
  const Tensor bias = b.parameter("bias", {channels}, InitSpec::constant(0));
  return b.call("aten.group_norm.default", {x, groups, weight, bias, epsilon});
}

Tensor timesteps(Builder& b, const std::string& name, const Tensor& timesteps, std::int64_t width,
                 TimestepStyle style) {
  const auto scope = b.scope(name, "Timesteps");
  constexpr double kLongestPeriod = 10000;
  const std::int64_t half = width / 2;
  Tensor frequencies = b.call("aten.arange.start", {0, half}, {{"dtype", DType::kFloat32}});
  frequencies = mul(frequencies, -std::log(kLongestPeriod));
  frequencies = b.call("aten.exp.default", {div(frequencies, static_cast<double>(half) - style.shift)});
  Tensor x = to(unsqueeze(timesteps, 1), DType::kFloat32);
  x = mul(mul(x, unsqueeze(frequencies, 0)), 1);
  const Tensor sine = sin(x);
  x = cat({sine, cos(x)}, -1);
  if (style.cosine_first) {
    const Tensor cosines = slice(x, 1, half, kToEnd);
    x = cat({cosines, slice(x, 1, 0, half)}, -1);
  }
  return width % 2 == 0 ? x : b.call("aten.pad.default", {x, Shape{0, 1, 0, 0}});
}

Tensor timestep_embedding(Builder& b, const std::string& name, const Tensor& x, std::int64_t width,
                          std::string_view activation_name, std::string_view post_activation) {
  const auto scope = b.scope(name, "TimestepEmbedding");
  const Tensor hidden = activation(b, "act", activation_name, nn::linear(b, "linear_1", x, width));
  const Tensor y = nn::linear(b, "linear_2", hidden, width);
  return post_activation.empty() ? y : activation(b, "post_act", post_activation, y);
}

Tensor feed_forward(Builder& b, const std::string& name, FeedForward kind, const Tensor& x) {
  const auto scope = b.scope(name, "FeedForward");
  const std::int64_t width = x.size(-1);
  const std::int64_t inner = 4 * width;
  Tensor y;
  if (kind == FeedForward::kGatedGelu) {
    const auto gated = b.scope("net.0", "GEGLU");
    const std::vector<Tensor> halves = chunk(nn::linear(b, "proj", x, 2 * inner), 2, -1);
    y = mul(halves[0], gelu(halves[1]));
  } else {
    const auto plain = b.scope("net.0", "GELU");
    y = gelu(nn::linear(b, "proj", x, inner), "tanh");
  }
  return nn::linear(b, "net.2", y, width);
}

}  // namespace nongemm::diffusion
