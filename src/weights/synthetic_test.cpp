#include "weights/synthetic.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/elements.h"
#include "base/error.h"
#include "base/half.h"

namespace nongemm::weights {
namespace {

std::vector<double> values_of(const HostTensor& tensor) {
  return {tensor.as<float>(), tensor.as<float>() + element_count(tensor.shape)};
}

double correlation(const std::vector<double>& a, const std::vector<double>& b, std::size_t lag) {
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i + lag < a.size(); ++i) {
    sum += a[i] * b[i + lag];
    squares += a[i] * a[i];
  }
  return sum / squares;
}

TEST(Synthetic, DependsOnSeedAndNameAlone) {
  std::vector<WeightSpec> specs;
  for (int i = 0; i < 20; ++i) {
    specs.push_back(
        {fmt::format("w{}", i), DType::kFloat32, {i % 3 == 0 ? 3'000'001 : 17 * i}, InitSpec::normal(0, 1)});
  }
  const NamedTensors one = synthesize_all(specs, 5, 1);
  const NamedTensors many = synthesize_all(specs, 5, 7);
  ASSERT_EQ(one.size(), specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    EXPECT_EQ(one[i].first, specs[i].name);
    EXPECT_EQ(std::memcmp(one[i].second.data.get(), many[i].second.data.get(), one[i].second.byte_size()), 0);
    const HostTensor alone = synthesize(specs[i], 5);
    EXPECT_EQ(std::memcmp(one[i].second.data.get(), alone.data.get(), alone.byte_size()), 0);
  }
  // A longer tensor of the same name begins with the same values.
  const HostTensor longer = synthesize({"w1", DType::kFloat32, {100, 100}, InitSpec::normal(0, 1)}, 5);
  EXPECT_EQ(std::memcmp(longer.data.get(), one[1].second.data.get(), one[1].second.byte_size()), 0);
  const HostTensor other_seed = synthesize(specs[1], 6);
  EXPECT_NE(std::memcmp(other_seed.data.get(), one[1].second.data.get(), other_seed.byte_size()), 0);
}

TEST(Synthetic, TheValuesAreTheSameOnEveryMachine) {
  const HostTensor normal = synthesize({"transformer.wte.weight", DType::kFloat32, {4}, InitSpec::normal(0, 0.02)}, 0);
  const std::vector<float> expected = {-0x1.a5f41cp-6f, 0x1.62b958p-9f, 0x1.d3f72ap-7f, 0x1.145db4p-6f};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(normal.as<float>()[i], expected[i]);
}

TEST(Synthetic, PeaksStandWhereTheyAreAskedFor) {
  InitSpec init = InitSpec::constant(1);
  init.peaks = 3;
  init.every = 3000;
  init.peak = 20;
  for (const DType dtype : {DType::kFloat32, DType::kFloat16}) {
    const HostTensor tensor = synthesize({"norm.weight", dtype, {10'000}, init}, 0);
    const HostTensor read = dtype == DType::kFloat32 ? tensor : converted(tensor, DType::kFloat32);
    for (std::int64_t i = 0; i < 10'000; ++i) {
      EXPECT_EQ(read.as<float>()[i], i == 1500 || i == 4500 || i == 7500 ? 20.0f : 1.0f) << i;
    }
  }
}

TEST(Synthetic, NormalHasTheMomentsAskedFor) {
  constexpr double kMean = 0.25;
  constexpr double kDeviation = 0.02;
  constexpr std::size_t kCount = 4'000'000;
  const auto values = values_of(synthesize({"w", DType::kFloat32, {kCount}, InitSpec::normal(kMean, kDeviation)}, 0));
  double sum = 0;
  for (double x : values) sum += x;
  const double mean = sum / kCount;
  double second = 0;
  double third = 0;
  double fourth = 0;
  for (double x : values) {
    const double z = (x - kMean) / kDeviation;
    second += z * z;
    third += z * z * z;
    fourth += z * z * z * z;
    ASSERT_LT(std::fabs(z), 3.4642);
  }
  EXPECT_NEAR(mean, kMean, 5 * kDeviation / std::sqrt(kCount));
  EXPECT_NEAR(second / kCount, 1.0, 0.005);
  EXPECT_NEAR(third / kCount, 0.0, 0.01);
  EXPECT_NEAR(fourth / kCount, 2.7, 0.02);
}

TEST(Synthetic, UniformFillsItsRangeEvenly) {
  constexpr std::size_t kCount = 1'600'000;
  const auto values = values_of(synthesize({"w", DType::kFloat32, {kCount}, InitSpec::uniform(-1, 3)}, 0));
  std::vector<int> bins(16);
  for (double x : values) {
    ASSERT_GE(x, -1);
    ASSERT_LE(x, 3);
    ++bins[std::min<std::size_t>(15, static_cast<std::size_t>((x + 1) * 4))];
  }
  for (int bin : bins) EXPECT_NEAR(bin, kCount / 16.0, 2000);
}

TEST(Synthetic, NeighboursRowsAndTensorsAreUncorrelated) {
  constexpr std::size_t kCount = 1'000'000;
  const auto make = [](const std::string& name, std::uint64_t seed) {
    return values_of(synthesize({name, DType::kFloat32, {kCount}, InitSpec::normal(0, 1)}, seed));
  };
  const auto a = make("h.0.attn.weight", 0);
  const double limit = 5 / std::sqrt(kCount);
  for (std::size_t lag : {1, 2, 3, 4, 8, 16, 64, 256, 768, 1024, 3072, 4096, 65536}) {
    EXPECT_LT(std::fabs(correlation(a, a, lag)), limit) << lag;
  }
  for (const auto& b : {make("h.1.attn.weight", 0), make("h.0.attn.weighu", 0), make("h.0.attn.weight", 1)}) {
    for (std::size_t lag : {0, 1, 768}) EXPECT_LT(std::fabs(correlation(a, b, lag)), limit) << lag;
  }
}

TEST(Synthetic, NarrowTypesAreTheRoundedFloats) {
  const WeightSpec spec{"w", DType::kFloat32, {5000}, InitSpec::normal(1, 100)};
  const HostTensor floats = synthesize(spec, 3);
  for (DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat64}) {
    WeightSpec narrow = spec;
    narrow.dtype = dtype;
    const HostTensor tensor = synthesize(narrow, 3);
    for (int i = 0; i < 5000; ++i) {
      const float value = floats.as<float>()[i];
      if (dtype == DType::kFloat64) {
        ASSERT_EQ(tensor.as<double>()[i], value);
      } else {
        const std::uint16_t bits = tensor.as<std::uint16_t>()[i];
        ASSERT_EQ(bits, dtype == DType::kFloat16 ? float_to_half(value) : float_to_bfloat16(value));
        ASSERT_TRUE(std::isfinite(dtype == DType::kFloat16 ? half_to_float(bits) : bfloat16_to_float(bits)));
      }
    }
  }
}

TEST(Synthetic, ConstantsOfEveryType) {
  EXPECT_EQ(synthesize({"n", DType::kInt64, {3}, InitSpec::constant(7)}, 0).as<std::int64_t>()[2], 7);
  EXPECT_EQ(synthesize({"n", DType::kBool, {3}, InitSpec::constant(1)}, 0).as<std::uint8_t>()[2], 1);
  EXPECT_EQ(synthesize({"n", DType::kFloat32, {3}, InitSpec::constant(1)}, 0).as<float>()[2], 1.0f);
  EXPECT_EQ(synthesize({"n", DType::kFloat16, {3}, InitSpec::constant(1)}, 0).as<std::uint16_t>()[2], 0x3c00);
  EXPECT_EQ(synthesize({"n", DType::kFloat32, {0, 4}, InitSpec::constant(1)}, 0).byte_size(), 0u);
  EXPECT_EQ(synthesize({"n", DType::kFloat32, {}, InitSpec::constant(2)}, 0).as<float>()[0], 2.0f);
  EXPECT_THROW(synthesize({"n", DType::kInt64, {3}, InitSpec::normal(0, 1)}, 0), Error);
}

}  // namespace
}  // namespace nongemm::weights
