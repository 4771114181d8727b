#include "base/elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/float8.h"

namespace nongemm {
namespace {

/// Every number that 8 bits can stand for, found by trying them all.
std::uint8_t nearest(double value, float (*decode)(std::uint8_t)) {
  int best = -1;
  for (int code = 0; code < 128; ++code) {
    const double distance = std::abs(decode(static_cast<std::uint8_t>(code)) - value);
    if (!std::isfinite(distance)) continue;
    const double least = best < 0 ? INFINITY : std::abs(decode(static_cast<std::uint8_t>(best)) - value);
    if (distance < least || (distance == least && code % 2 == 0)) best = code;
  }
  return static_cast<std::uint8_t>(best);
}

TEST(Float8Test, RoundsToTheNearestNumber) {
  for (double value = 1e-4; value < 440; value *= 1.037) {
    const auto single = static_cast<float>(value);
    EXPECT_EQ(float_to_float8_e4m3(single), nearest(single, float8_e4m3_to_float)) << value;
    EXPECT_EQ(float_to_float8_e5m2(single), nearest(single, float8_e5m2_to_float)) << value;
    EXPECT_EQ(float_to_float8_e4m3(-single), nearest(single, float8_e4m3_to_float) | 0x80) << value;
  }
}

TEST(Float8Test, EveryCodeIsItsOwnNumber) {
  for (int code = 0; code < 256; ++code) {
    const auto bits = static_cast<std::uint8_t>(code);
    if (const float value = float8_e4m3_to_float(bits); !std::isnan(value)) {
      EXPECT_EQ(float_to_float8_e4m3(value), bits);
    }
    if (const float value = float8_e5m2_to_float(bits); !std::isnan(value)) {
      EXPECT_EQ(float_to_float8_e5m2(value), bits);
    }
  }
}

TEST(Float8Test, EndsAreThoseOfPyTorch) {
  EXPECT_EQ(float8_e4m3_to_float(0x7e), 448.0f);
  EXPECT_EQ(float_to_float8_e4m3(464.0f), 0x7e);  // half way, to even
  EXPECT_EQ(float_to_float8_e4m3(465.0f), 0x7f);  // no infinity: NaN
  EXPECT_EQ(float8_e5m2_to_float(0x7b), 57344.0f);
  EXPECT_EQ(float_to_float8_e5m2(65504.0f), 0x7c);  // infinity
  EXPECT_EQ(float_to_float8_e5m2(INFINITY), 0x7c);
  EXPECT_TRUE(std::isnan(float8_e5m2_to_float(float_to_float8_e5m2(NAN))));
}

TEST(ElementsTest, SmallWholeNumbersSurviveInEveryType) {
  for (const DTypeInfo& row : dtypes()) {
    if (is_complex(row.dtype)) {
      EXPECT_THROW(tensor_from(row.dtype, {1}, {1}), Error);
      continue;
    }
    const std::vector<double> values = {1, 0, 1, 1, 0};
    const HostTensor tensor = tensor_from(row.dtype, {5}, values);
    EXPECT_EQ(elements_of(tensor), values) << row.name;
    EXPECT_EQ(tensor.byte_size(), byte_size_of(row.dtype, 5)) << row.name;
    EXPECT_EQ(elements_of(converted(tensor, DType::kFloat16)), values) << row.name;
    EXPECT_EQ(element(scalar_tensor(1, row.dtype), 0), 1.0) << row.name;
  }
}

TEST(ElementsTest, FourBitsLieTwoToAByteLowerHalfFirst) {
  const HostTensor tensor = tensor_from(DType::kInt4, {3}, {-8, 7, -1});
  ASSERT_EQ(tensor.byte_size(), 2u);
  EXPECT_EQ(tensor.as<std::uint8_t>()[0], 0x78);
  EXPECT_EQ(tensor.as<std::uint8_t>()[1] & 0xf, 0xf);
  EXPECT_EQ(elements_of(tensor), (std::vector<double>{-8, 7, -1}));
}

TEST(ElementsTest, WholeTypesStopAtTheirEnds) {
  EXPECT_EQ(rounded_to(DType::kInt8, 300.7), 127);
  EXPECT_EQ(rounded_to(DType::kUInt8, -3), 0);
  EXPECT_EQ(rounded_to(DType::kInt32, -2.9), -2);
  EXPECT_EQ(rounded_to(DType::kInt64, NAN), 0);
  EXPECT_EQ(scalar_tensor(1e30, DType::kInt64).as<std::int64_t>()[0], INT64_MAX);
  EXPECT_EQ(rounded_to(DType::kBool, -0.5), 1);
}

TEST(ElementsTest, WholeNumbersStayExactBetweenWholeTypes) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const HostTensor wide = HostTensor::from<std::int64_t>(DType::kInt64, {2}, {large, -7});
  EXPECT_EQ(converted(wide, DType::kInt64).data, wide.data);
  const HostTensor narrow = converted(wide, DType::kInt32);
  EXPECT_EQ(narrow.as<std::int32_t>()[0], INT32_MAX);
  EXPECT_EQ(converted(narrow, DType::kInt64).as<std::int64_t>()[1], -7);
}

TEST(ElementsTest, WithoutATypeThereAreNoValues) {
  EXPECT_THROW(element_reader(DType::kUndefined), Error);
  EXPECT_THROW(element_writer(DType::kUndefined), Error);
}

}  // namespace
}  // namespace nongemm
