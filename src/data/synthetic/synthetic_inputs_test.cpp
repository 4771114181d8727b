#include "data/synthetic/synthetic_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace nongemm::data {
namespace {

HostTensor make(const SyntheticInput& input, std::uint64_t seed = 0) {
  return make_synthetic_inputs(std::span(&input, 1), seed)[0].second;
}

bool same(const HostTensor& a, const HostTensor& b) {
  return a.byte_size() == b.byte_size() && std::memcmp(a.data.get(), b.data.get(), a.byte_size()) == 0;
}

TEST(SyntheticInputs, DependOnSeedAndNameOnly) {
  const SyntheticInput ids = {"input_ids", DType::kInt64, {2, 500}, SyntheticKind::kTokenIds, 50257};
  SyntheticInput other = ids;
  other.name = "other";
  EXPECT_TRUE(same(make(ids, 7), make(ids, 7)));
  EXPECT_FALSE(same(make(ids, 7), make(ids, 8)));
  EXPECT_FALSE(same(make(ids, 7), make(other, 7)));
  const SyntheticInput both[] = {other, ids};
  EXPECT_TRUE(same(make_synthetic_inputs(both, 7)[1].second, make(ids, 7)));
}

TEST(SyntheticInputs, TokenIdsCoverTheVocabulary) {
  const HostTensor tensor = make({"input_ids", DType::kInt64, {4, 1000}, SyntheticKind::kTokenIds, 10});
  const auto* ids = tensor.as<std::int64_t>();
  EXPECT_EQ(*std::min_element(ids, ids + 4000), 0);
  EXPECT_EQ(*std::max_element(ids, ids + 4000), 9);
}

TEST(SyntheticInputs, PixelsHaveTheDistributionAsked) {
  constexpr std::int64_t kCount = 200000;
  for (auto kind : {SyntheticKind::kNormalPixels, SyntheticKind::kUniformPixels}) {
    const HostTensor tensor = make({"x", DType::kFloat32, {kCount}, kind});
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < kCount; ++i) {
      const double value = tensor.as<float>()[i];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kCount;
    const double variance = squares / kCount - mean * mean;
    const bool normal = kind == SyntheticKind::kNormalPixels;
    EXPECT_NEAR(mean, normal ? 0 : 0.5, 0.01);
    EXPECT_NEAR(variance, normal ? 1 : 1.0 / 12, 0.01);
  }
}

TEST(SyntheticInputs, MasksOfEveryType) {
  EXPECT_EQ(make({"m", DType::kInt64, {3}, SyntheticKind::kOnes}).as<std::int64_t>()[2], 1);
  EXPECT_EQ(make({"m", DType::kBool, {3}, SyntheticKind::kOnes}).as<std::uint8_t>()[2], 1);
  EXPECT_EQ(make({"m", DType::kFloat16, {3}, SyntheticKind::kOnes}).as<std::uint16_t>()[2], 0x3C00);
  EXPECT_EQ(make({"m", DType::kInt32, {3}, SyntheticKind::kZeros}).as<std::int32_t>()[2], 0);
}

TEST(SyntheticInputs, RefusesWhatCannotBe) {
  EXPECT_THROW(make({"x", DType::kInt64, {3}, SyntheticKind::kTokenIds, 0}), Error);
  EXPECT_THROW(make({"x", DType::kFloat32, {3}, SyntheticKind::kTokenIds, 5}), Error);
  EXPECT_THROW(make({"x", DType::kInt64, {3}, SyntheticKind::kNormalPixels}), Error);
  EXPECT_THROW(make({"x", DType::kFloat32, {kDynamic, 3}, SyntheticKind::kNormalPixels}), Error);
  EXPECT_THROW(make({"x", DType::kUndefined, {3}, SyntheticKind::kOnes}), Error);
}

}  // namespace
}  // namespace nongemm::data
