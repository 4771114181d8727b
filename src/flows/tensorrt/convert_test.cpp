#include "flows/tensorrt/convert.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace nongemm::tensorrt {
namespace {

TEST(Converted, IntegersAndFloats) {
  const HostTensor wide = HostTensor::from<std::int64_t>(DType::kInt64, {3}, {-1, 7, std::int64_t{1} << 40});
  const HostTensor narrow = as_engine_has(wide, DType::kInt32);
  EXPECT_THAT(std::vector<std::int32_t>(narrow.as<std::int32_t>(), narrow.as<std::int32_t>() + 3),
              testing::ElementsAre(-1, 7, INT32_MAX));
  EXPECT_EQ(as_engine_has(narrow, DType::kInt64).as<std::int64_t>()[0], -1);
  const HostTensor number = HostTensor::from<float>(DType::kFloat32, {1}, {1.5F});
  EXPECT_EQ(as_engine_has(as_engine_has(number, DType::kFloat16), DType::kFloat32).as<float>()[0], 1.5F);
  EXPECT_EQ(as_engine_has(number, DType::kFloat32).data, number.data);
  EXPECT_THROW(as_engine_has(number, DType::kInt32), Error);
}

}  // namespace
}  // namespace nongemm::tensorrt
