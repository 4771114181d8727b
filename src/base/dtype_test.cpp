#include "base/dtype.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

constexpr DType kAll[] = {DType::kBool,  DType::kUInt8,   DType::kInt8,     DType::kInt16,   DType::kInt32,
                          DType::kInt64, DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64};

TEST(DTypeTest, EveryNameParsesBackToItsType) {
  for (DType dtype : kAll) EXPECT_EQ(parse_dtype(name_of(dtype)), dtype) << name_of(dtype);
}

TEST(DTypeTest, ShortAndSafetensorsNamesParse) {
  EXPECT_EQ(parse_dtype("bf16"), DType::kBFloat16);
  EXPECT_EQ(parse_dtype("F32"), DType::kFloat32);
  EXPECT_EQ(parse_dtype("i64"), DType::kInt64);
  EXPECT_EQ(short_name_of(DType::kBFloat16), "bf16");
  EXPECT_EQ(short_name_of(DType::kInt64), "int64");
  for (DType dtype : kAll) EXPECT_EQ(parse_dtype(short_name_of(dtype)), dtype) << short_name_of(dtype);
}

TEST(DTypeTest, UnknownNamesAreRefused) {
  EXPECT_EQ(parse_dtype("float12"), std::nullopt);
  EXPECT_EQ(parse_dtype(""), std::nullopt);
  EXPECT_EQ(parse_dtype("undefined"), std::nullopt);
}

TEST(DTypeTest, SizesAreThoseOfTheElements) {
  EXPECT_EQ(size_of(DType::kUndefined), 0u);
  EXPECT_EQ(size_of(DType::kBool), 1u);
  EXPECT_EQ(size_of(DType::kBFloat16), 2u);
  EXPECT_EQ(size_of(DType::kInt64), 8u);
}

TEST(DTypeTest, EveryTypeIsEitherFloatingOrIntegral) {
  for (DType dtype : kAll) EXPECT_NE(is_floating(dtype), is_integral(dtype)) << name_of(dtype);
  EXPECT_FALSE(is_floating(DType::kUndefined));
  EXPECT_FALSE(is_integral(DType::kUndefined));
}

}  // namespace
}  // namespace nongemm
