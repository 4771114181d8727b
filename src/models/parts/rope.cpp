#include "models/parts/rope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

constexpr std::array<std::pair<std::string_view, Rope::Type>, 7> kTypes = {{
    {"default", Rope::Type::kDefault},
    {"linear", Rope::Type::kLinear},
    {"dynamic", Rope::Type::kDynamic},
    {"yarn", Rope::Type::kYarn},
    {"longrope", Rope::Type::kLongRope},
    {"llama3", Rope::Type::kLlama3},
    {"proportional", Rope::Type::kProportional},
}};

/// The object that holds the parameters: non-empty `rope_scaling` wins, as in the original.
Config parameters_of(const Config& config) {
  if (config.has("rope_scaling")) {
    Config scaling = config.object("rope_scaling");
    if (config.count("rope_scaling") > 0) return scaling;
  }
  Config parameters = config.object_or_empty("rope_parameters");
  for (const char* layer_type : {"full_attention", "sliding_attention"}) {
    if (parameters.has(layer_type))
      parameters.fail(layer_type, "is only known where layers have embeddings of their own");
  }
  return parameters;
}

Rope::Type type_of(const Config& parameters, bool only_longrope) {
  const char* key = parameters.has("rope_type") ? "rope_type" : "type";
  const std::string name = parameters.text(key, "default");
  if (only_longrope) {
    if (name == "default") return Rope::Type::kDefault;
    if (name == "longrope" || name == "su" || name == "yarn") return Rope::Type::kLongRope;
    parameters.fail(key, "is '" + name + "'; this model has default and longrope");
  }
  std::vector<std::string> known;
  for (const auto& [candidate, type] : kTypes) {
    if (candidate == name) return type;
    known.emplace_back(candidate);
  }
  parameters.fail(key, "is '" + name + "', which is not built in; " + did_you_mean(name, known));
}

std::vector<double> factors(const Config& parameters, const char* key, std::int64_t count) {
  std::vector<double> values = parameters.numbers(key);
  if (static_cast<std::int64_t>(values.size()) != count) {
    parameters.fail(key, "has " + std::to_string(values.size()) + " numbers, must have " + std::to_string(count));
  }
  return values;
}

/// yarn's get_mscale
double yarn_magnitude(double scale, double weight) { return scale <= 1.0 ? 1.0 : 0.1 * weight * std::log(scale) + 1.0; }

double yarn_attention(const Config& parameters, double factor) {
  if (parameters.has("attention_factor")) return parameters.number("attention_factor");
  const double weight = parameters.number("mscale", 0.0);
  const double all = parameters.number("mscale_all_dim", 0.0);
  if (weight != 0.0 && all != 0.0) return yarn_magnitude(factor, weight) / yarn_magnitude(factor, all);
  return yarn_magnitude(factor, 1.0);
}

double longrope_attention(const Config& parameters, const Rope& rope) {
  if (parameters.has("attention_factor")) return parameters.number("attention_factor");
  if (rope.factor <= 1.0) return 1.0;
  return std::sqrt(1.0 + std::log(rope.factor) / std::log(static_cast<double>(rope.original_positions)));
}

double non_zero(const Config& parameters, const char* key, double otherwise) {
  const double value = parameters.number(key, otherwise);
  return value == 0.0 ? otherwise : value;
}

/// What is rotated of a head: all of it, but for models that rotate a part.
std::int64_t rotated_width(const Config& parameters, const Rope& rope, std::int64_t head_width, bool partial) {
  const auto rotated = static_cast<std::int64_t>(static_cast<double>(head_width) * rope.partial);
  const bool ignores_partial = rope.type == Rope::Type::kDefault || rope.type == Rope::Type::kProportional;
  if (!partial && !ignores_partial && rotated != head_width) {
    parameters.fail("partial_rotary_factor", "is only supported with rope_type proportional");
  }
  const std::int64_t width = partial ? rotated : head_width;
  // Of an odd width the original's default embedding has a frequency for the last channel, too, which turns one more.
  const bool rounds_up = partial && rope.type == Rope::Type::kDefault && width > 0;
  if (!rounds_up && (width < 2 || width % 2 != 0)) {
    parameters.fail("partial_rotary_factor",
                    "leaves " + std::to_string(width) + " channels of a head; rotary embedding needs pairs");
  }
  return width;
}

}  // namespace

Rope Rope::read(const Config& config, std::int64_t head_width, std::int64_t positions, const RopeDefaults& defaults) {
  RopeDefaults with_theta = defaults;
  with_theta.theta = config.number("rope_theta", defaults.theta);
  return from(parameters_of(config), config, head_width, positions, with_theta);
}

Rope Rope::from(const Config& parameters, const Config& config, std::int64_t head_width, std::int64_t positions,
                const RopeDefaults& defaults) {
  Rope rope;
  rope.type = type_of(parameters, defaults.only_longrope);
  rope.positions = positions;
  rope.theta = parameters.number("rope_theta", defaults.theta);
  if (rope.theta <= 0.0) parameters.fail("rope_theta", "is not positive");
  const bool top_level = config.has("original_max_position_embeddings");
  rope.original_positions = defaults.original_positions;
  if (rope.original_positions == 0 || top_level) {
    rope.original_positions = (top_level ? config : parameters).positive("original_max_position_embeddings", positions);
  }
  rope.partial = parameters.has("partial_rotary_factor") ? parameters.number("partial_rotary_factor")
                                                         : config.number("partial_rotary_factor", 1.0);
  if (rope.partial < 0.0 || rope.partial > 1.0) parameters.fail("partial_rotary_factor", "is not between 0 and 1");
  rope.head_width = rotated_width(parameters, rope, head_width, defaults.partial);
  head_width = rope.head_width;

  const double extended = static_cast<double>(positions) / static_cast<double>(rope.original_positions);
  switch (rope.type) {
    case Type::kDefault:
      break;
    case Type::kProportional:
      rope.factor = parameters.number("factor", 1.0);
      break;
    case Type::kLinear:
      rope.factor = parameters.number("factor");
      break;
    case Type::kDynamic:
      rope.factor = parameters.number("factor");
      if (head_width == 2) config.fail("head_dim", "is 2, too small for dynamic rotary scaling");
      break;
    case Type::kYarn:
      rope.factor = parameters.number("factor", extended);
      rope.attention_scaling = yarn_attention(parameters, rope.factor);
      rope.beta_fast = non_zero(parameters, "beta_fast", 32.0);
      rope.beta_slow = non_zero(parameters, "beta_slow", 1.0);
      rope.truncate = parameters.flag("truncate", true);
      if (rope.theta == 1.0) parameters.fail("rope_theta", "is 1, which yarn cannot scale");
      break;
    case Type::kLongRope:
      rope.factor = parameters.number("factor", extended);
      rope.short_factors = factors(parameters, "short_factor", head_width / 2);
      rope.long_factors = factors(parameters, "long_factor", head_width / 2);
      if (rope.original_positions == 1) parameters.fail("original_max_position_embeddings", "is 1");
      rope.attention_scaling = longrope_attention(parameters, rope);
      break;
    case Type::kLlama3:
      rope.factor = parameters.number("factor");
      rope.low_frequency = parameters.number("low_freq_factor");
      rope.high_frequency = parameters.number("high_freq_factor");
      if (rope.high_frequency == rope.low_frequency) {
        parameters.fail("high_freq_factor", "is equal to low_freq_factor");
      }
      break;
  }
  if (rope.factor == 0.0) parameters.fail("factor", "is 0");
  return rope;
}

LayerRopes read_layer_ropes(const Config& config, std::int64_t head_width, std::int64_t positions,
                            const LayerRopeKeys& keys) {
  const Config both = config.object_or_empty("rope_parameters");
  const Config scaling = config.object_or_empty("rope_scaling");
  const auto read = [&](const char* layer_type, std::string_view theta, double otherwise, bool scaled) {
    const Config own = both.object_or_empty(layer_type);
    return Rope::from(scaled ? own.overlaid(scaling) : own, config, head_width, positions,
                      {.theta = config.number(theta, otherwise)});
  };
  return {read("full_attention", keys.full_theta, keys.full_default, true),
          read("sliding_attention", keys.sliding_theta, keys.sliding_default, keys.scales_both)};
}

namespace {

/// base^(2i / width): the wavelengths over 2 pi, unscaled.
std::vector<float> powers(double base, std::int64_t width, std::int64_t count) {
  std::vector<float> result;
  for (std::int64_t i = 0; i < count; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
    // In double and rounded: torch's fp32 pow is within an ulp of it.
    result.push_back(static_cast<float>(std::pow(static_cast<double>(static_cast<float>(base)), exponent)));
  }
  return result;
}

std::vector<float> reciprocals(std::vector<float> values) {
  for (float& value : values) value = 1.0F / value;
  return values;
}

/// Dynamic NTK scaling. Up to the trained positions the original computes in Python's double, beyond in fp32.
std::vector<float> dynamic_frequencies(const Rope& rope, std::int64_t tokens) {
  const auto width = static_cast<double>(rope.head_width);
  const double exponent = width / (width - 2.0);
  double base = 0;
  if (tokens <= rope.positions) {
    const auto positions = static_cast<double>(rope.positions);
    base = rope.theta * std::pow(rope.factor * positions / positions - (rope.factor - 1.0), exponent);
  } else {
    const float stretched =
        static_cast<float>(rope.factor) * static_cast<float>(tokens) / static_cast<float>(rope.positions);
    const float reach = stretched - static_cast<float>(rope.factor - 1.0);
    base = static_cast<float>(rope.theta) *
           static_cast<float>(std::pow(static_cast<double>(reach), static_cast<double>(static_cast<float>(exponent))));
  }
  return reciprocals(powers(base, rope.head_width, rope.head_width / 2));
}

std::vector<float> yarn_frequencies(const Rope& rope) {
  const auto width = static_cast<double>(rope.head_width);
  // The dimension that turns `rotations` times within the original context.
  const auto dimension = [&](double rotations) {
    const double wavelength = static_cast<double>(rope.original_positions) / (rotations * 2.0 * std::numbers::pi);
    return width * std::log(wavelength) / (2.0 * std::log(rope.theta));
  };
  double low = dimension(rope.beta_fast);
  double high = dimension(rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, width - 1.0);
  if (low == high) high += 0.001;
  std::vector<float> result = powers(rope.theta, rope.head_width, rope.head_width / 2);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const float position = result[i];
    const float step = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    const float extrapolated = 1.0F - std::clamp(step, 0.0F, 1.0F);
    const float interpolation = 1.0F / (static_cast<float>(rope.factor) * position);
    result[i] = interpolation * (1.0F - extrapolated) + (1.0F / position) * extrapolated;
  }
  return result;
}

std::vector<float> longrope_frequencies(const Rope& rope, std::int64_t tokens) {
  const std::vector<double>& factors = tokens > rope.original_positions ? rope.long_factors : rope.short_factors;
  std::vector<float> result = powers(rope.theta, rope.head_width, rope.head_width / 2);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = 1.0F / (static_cast<float>(factors[i]) * result[i]);
  return result;
}

std::vector<float> llama3_frequencies(const Rope& rope) {
  const auto original = static_cast<float>(rope.original_positions);
  const auto factor = static_cast<float>(rope.factor);
  const auto low = static_cast<float>(rope.low_frequency);
  const float range = static_cast<float>(rope.high_frequency - rope.low_frequency);
  const float longest = static_cast<float>(static_cast<double>(rope.original_positions) / rope.low_frequency);
  const float shortest = static_cast<float>(static_cast<double>(rope.original_positions) / rope.high_frequency);
  std::vector<float> result = reciprocals(powers(rope.theta, rope.head_width, rope.head_width / 2));
  for (float& frequency : result) {
    const float wavelength = (1.0F / frequency) * static_cast<float>(2.0 * std::numbers::pi);
    if (wavelength > longest) {
      frequency /= factor;
    } else if (wavelength >= shortest) {
      const float smooth = ((1.0F / wavelength) * original - low) / range;
      frequency = (1.0F - smooth) * frequency / factor + smooth * frequency;
    }
  }
  return result;
}

std::vector<float> proportional_frequencies(const Rope& rope) {
  const auto turned = static_cast<std::int64_t>(std::floor(rope.partial * static_cast<double>(rope.head_width) / 2.0));
  std::vector<float> result = reciprocals(powers(rope.theta, rope.head_width, turned));
  result.resize(static_cast<std::size_t>(rope.head_width / 2), 0.0F);
  for (float& frequency : result) frequency /= static_cast<float>(rope.factor);
  return result;
}

}  // namespace

std::vector<float> inverse_frequencies(const Rope& rope, std::int64_t tokens) {
  switch (rope.type) {
    case Rope::Type::kDynamic:
      return dynamic_frequencies(rope, tokens);
    case Rope::Type::kYarn:
      return yarn_frequencies(rope);
    case Rope::Type::kLongRope:
      return longrope_frequencies(rope, tokens);
    case Rope::Type::kLlama3:
      return llama3_frequencies(rope);
    case Rope::Type::kProportional:
      return proportional_frequencies(rope);
    case Rope::Type::kDefault:
    case Rope::Type::kLinear:
      break;
  }
  std::vector<float> result = reciprocals(powers(rope.theta, rope.head_width, (rope.head_width + 1) / 2));
  for (float& frequency : result) frequency /= static_cast<float>(rope.factor);
  return result;
}

}  // namespace nongemm
