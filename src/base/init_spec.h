// How a synthetic weight is drawn. The model builder says it for each parameter; weights/ draws it.
#pragma once

#include <cstdint>

namespace nongemm {

struct InitSpec {
  enum class Kind : std::uint8_t { kConstant, kNormal, kUniform };
  Kind kind = Kind::kNormal;
  /// constant: the value; normal: the mean; uniform: the lower bound
  double a = 0.0;
  /// normal: the standard deviation; uniform: the upper bound
  double b = 0.02;
  /// So many elements are `peak` instead: the middle one of each `every`.
  std::int64_t peaks = 0;
  std::int64_t every = 1;
  double peak = 0.0;

  static InitSpec constant(double value) { return {Kind::kConstant, value, 0.0}; }
  static InitSpec normal(double mean, double deviation) { return {Kind::kNormal, mean, deviation}; }
  static InitSpec uniform(double low, double high) { return {Kind::kUniform, low, high}; }

  bool operator==(const InitSpec&) const = default;
};

}  // namespace nongemm
