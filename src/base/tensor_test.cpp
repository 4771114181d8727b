#include "base/tensor.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

TEST(ShapeTest, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({2, 0, 4}), 0);
  EXPECT_EQ(element_count({2, kDynamic}), kDynamic);
}

TEST(ShapeTest, PrintsDynamicDimensionsAsQuestionMarks) { EXPECT_EQ(to_string({1, kDynamic, 768}), "[1, ?, 768]"); }

TEST(HostTensorTest, HoldsACopyOfTheValues) {
  const HostTensor tensor = HostTensor::from<float>(DType::kFloat32, {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(tensor.byte_size(), 16u);
  EXPECT_EQ(tensor.as<float>()[3], 4);
}

TEST(HostTensorTest, MemoryIsAlignedForVectorLoads) {
  const HostTensor tensor = HostTensor::allocate(DType::kInt8, {3}).first;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data.get()) % 64, 0u);
}

TEST(HostTensorTest, CopiesShareTheirBytes) {
  HostTensor first = HostTensor::from<std::int64_t>(DType::kInt64, {1}, {7});
  const HostTensor second = first;
  first = {};
  EXPECT_EQ(second.as<std::int64_t>()[0], 7);
}

TEST(HostTensorTest, WrongNumberOfValuesNamesBothSizes) {
  try {
    HostTensor::from<float>(DType::kFloat32, {2, 2}, {1, 2, 3});
    FAIL() << "three values made a tensor of four";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_STREQ(error.what(), "a tensor of shape [2, 2] needs 16 bytes, got 12");
  }
}

}  // namespace
}  // namespace nongemm
