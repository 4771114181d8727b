#include "base/dtype.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nongemm {
namespace {

TEST(DTypeTest, EveryNameParsesBackToItsType) {
  for (const DTypeInfo& row : dtypes()) {
    EXPECT_EQ(parse_dtype(row.name), row.dtype) << row.name;
    EXPECT_EQ(parse_dtype(row.short_name), row.dtype) << row.name;
    EXPECT_EQ(parse_dtype(short_name_of(row.dtype)), row.dtype) << row.name;
    if (row.safetensors.empty()) continue;
    EXPECT_EQ(parse_dtype(row.safetensors), row.dtype) << row.name;
  }
}

template <typename Value>
void expect_unique(Value DTypeInfo::*column, const Value& none) {
  std::set<Value> seen;
  for (const DTypeInfo& row : dtypes()) {
    if (row.*column == none) continue;
    EXPECT_TRUE(seen.insert(row.*column).second) << row.name;
    EXPECT_EQ(dtype_by(column, row.*column), row.dtype);
  }
  EXPECT_EQ(dtype_by(column, none), std::nullopt);
}

TEST(DTypeTest, NoTwoTypesShareANameOrNumberOfAnyWorld) {
  for (const auto column :
       {&DTypeInfo::name, &DTypeInfo::short_name, &DTypeInfo::safetensors, &DTypeInfo::numpy, &DTypeInfo::storage}) {
    expect_unique(column, std::string_view());
  }
  for (const auto column : {&DTypeInfo::torch, &DTypeInfo::pt2, &DTypeInfo::onnx, &DTypeInfo::tensorrt}) {
    expect_unique(column, std::int32_t{-1});
  }
}

TEST(DTypeTest, NamesAreThoseOfTheirWorlds) {
  EXPECT_EQ(info(DType::kFloat8E4M3).name, "float8_e4m3fn");
  EXPECT_EQ(info(DType::kFloat8E4M3).safetensors, "F8_E4M3");
  EXPECT_EQ(info(DType::kBFloat16).onnx, 16);
  EXPECT_EQ(info(DType::kUInt4).onnx, 21);
  EXPECT_EQ(info(DType::kFloat32).numpy, "<f4");
  EXPECT_EQ(info(DType::kInt64).storage, "LongStorage");
  EXPECT_EQ(info(DType::kFloat16).tensorrt, 1);
  EXPECT_EQ(short_name_of(DType::kBFloat16), "bf16");
  EXPECT_EQ(short_name_of(DType::kInt64), "int64");
}

TEST(DTypeTest, UnknownNamesAreRefused) {
  for (const char* text : {"float12", "", "undefined", "<f4", "FloatStorage"}) {
    EXPECT_EQ(parse_dtype(text), std::nullopt) << text;
  }
}

TEST(DTypeTest, SizesAreThoseOfTheElements) {
  EXPECT_EQ(size_of(DType::kUndefined), 0u);
  EXPECT_EQ(size_of(DType::kBool), 1u);
  EXPECT_EQ(size_of(DType::kBFloat16), 2u);
  EXPECT_EQ(size_of(DType::kInt64), 8u);
  EXPECT_EQ(size_of(DType::kInt4), 1u);
  EXPECT_EQ(byte_size_of(DType::kInt4, 5), 3u);
  EXPECT_EQ(byte_size_of(DType::kFloat8E5M2, 5), 5u);
  EXPECT_EQ(byte_size_of(DType::kFloat32, 5), 20u);
}

TEST(DTypeTest, ComplexNumbersHaveTwoParts) {
  for (const DTypeInfo& row : dtypes()) {
    if (!is_complex(row.dtype)) {
      EXPECT_EQ(part_of(row.dtype), row.dtype);
      continue;
    }
    EXPECT_EQ(2 * info(part_of(row.dtype)).bits, row.bits) << row.name;
    EXPECT_EQ(complex_of(part_of(row.dtype)), row.dtype);
  }
  EXPECT_EQ(complex_of(DType::kBFloat16), DType::kComplex64);
}

TEST(DTypeTest, EveryTypeIsFloatingIntegralOrComplex) {
  for (const DTypeInfo& row : dtypes()) {
    EXPECT_EQ(is_floating(row.dtype) + is_integral(row.dtype) + is_complex(row.dtype), 1) << row.name;
    EXPECT_EQ(is_complex(row.dtype), row.name.find("complex") != std::string_view::npos) << row.name;
    EXPECT_EQ(is_floating(row.dtype), row.name.find("float") != std::string_view::npos) << row.name;
  }
  EXPECT_FALSE(is_floating(DType::kUndefined));
  EXPECT_FALSE(is_complex(DType::kUndefined));
  EXPECT_FALSE(is_integral(DType::kUndefined));
}

}  // namespace
}  // namespace nongemm
