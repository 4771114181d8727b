#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace nongemm {
namespace {

/// Nearest value with `precision` bits, no bit below 2^`lowest`, ties to even: the definition, in exact arithmetic.
double rounded(double value, int precision, int lowest) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::ilogb(value);
  const double unit = std::ldexp(1.0, std::max(exponent - precision + 1, lowest));
  return std::nearbyint(value / unit) * unit;
}

std::vector<float> interesting_floats() {
  std::vector<float> values = {0.0f,
                               -0.0f,
                               1.0f,
                               65504.0f,
                               65519.996f,
                               65520.0f,
                               65536.0f,
                               1e30f,
                               0x1p-24f,
                               0x1p-25f,
                               0x1.8p-25f,
                               0x1.000002p-25f,
                               0x1p-14f,
                               0x1.ffep-15f,
                               0x1.ffffp-15f,
                               1.0009766f,
                               1.00048828125f,
                               1.00146484375f,
                               std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::denorm_min(),
                               3.3895314e38f};
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    // Exponents around and beyond the range of binary16, all mantissas.
    values.push_back(
        std::ldexp(1.0f + static_cast<float>(random() >> 9) * 0x1p-23f, static_cast<int>(random() % 50) - 30));
  }
  const std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
  return values;
}

TEST(Half, EveryPatternSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if ((bits & 0x7fff) > 0x7c00) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
      continue;
    }
    EXPECT_EQ(float_to_half(value), half) << value;
  }
  EXPECT_EQ(half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0f);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0xfc00), -std::numeric_limits<float>::infinity());
}

TEST(Half, RoundsToNearestEven) {
  for (float value : interesting_floats()) {
    double expected = rounded(value, 11, -24);
    if (std::fabs(expected) >= 65536.0) expected = std::copysign(std::numeric_limits<double>::infinity(), value);
    EXPECT_EQ(half_to_float(float_to_half(value)), expected) << value;
  }
}

TEST(BFloat16, RoundsToNearestEven) {
  for (float value : interesting_floats()) {
    double expected = rounded(value, 8, -133);
    if (std::fabs(expected) >= 0x1p128) expected = std::copysign(std::numeric_limits<double>::infinity(), value);
    EXPECT_EQ(bfloat16_to_float(float_to_bfloat16(value)), expected) << value;
  }
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
}

TEST(ConvertFloating, GivesWhatTheScalarFunctionsGive) {
  const std::vector<float> floats = interesting_floats();
  const auto* source = reinterpret_cast<const std::byte*>(floats.data());
  std::vector<std::uint16_t> halves(floats.size());
  auto* half_bytes = reinterpret_cast<std::byte*>(halves.data());
  std::vector<float> back(floats.size());
  auto* back_bytes = reinterpret_cast<std::byte*>(back.data());

  convert_floating(DType::kFloat32, source, DType::kFloat16, half_bytes, floats.size());
  convert_floating(DType::kFloat16, half_bytes, DType::kFloat32, back_bytes, floats.size());
  for (std::size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(halves[i], float_to_half(floats[i])) << floats[i];
    ASSERT_EQ(back[i], half_to_float(halves[i]));
  }
  convert_floating(DType::kFloat32, source, DType::kBFloat16, half_bytes, floats.size());
  convert_floating(DType::kBFloat16, half_bytes, DType::kFloat32, back_bytes, floats.size());
  for (std::size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(halves[i], float_to_bfloat16(floats[i])) << floats[i];
    ASSERT_EQ(back[i], bfloat16_to_float(halves[i]));
  }
  std::vector<double> doubles(floats.size());
  convert_floating(DType::kFloat32, source, DType::kFloat64, reinterpret_cast<std::byte*>(doubles.data()),
                   floats.size());
  convert_floating(DType::kFloat64, reinterpret_cast<std::byte*>(doubles.data()), DType::kFloat32, back_bytes,
                   floats.size());
  EXPECT_EQ(back, floats);
  EXPECT_ANY_THROW(convert_floating(DType::kInt64, source, DType::kFloat32, back_bytes, 0));
}

}  // namespace
}  // namespace nongemm
