#include "flows/tensorrt/cache.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "flows/tensorrt/convert.h"

namespace nongemm::tensorrt {
namespace {

TEST(EngineCache, KeepsWhatWasWritten) {
  const TemporaryFolder folder;
  const EngineCache cache((folder.path() / "engines").string());
  EXPECT_FALSE(cache.read("a").has_value());
  cache.write("a", std::string("\0bytes", 6));
  EXPECT_EQ(cache.read("a"), std::string("\0bytes", 6));
}

TEST(EngineCache, OffAndWithoutRightsKeepNothing) {
  const EngineCache off("off");
  EXPECT_FALSE(off.enabled());
  off.write("a", "b");
  EXPECT_FALSE(off.read("a").has_value());
  const EngineCache nowhere("/proc/no/such/folder");
  nowhere.write("a", "b");
  EXPECT_FALSE(nowhere.read("a").has_value());
}

TEST(EngineCache, KeysTellAllPartsApart) {
  const TemporaryFolder folder;
  const auto file = [&](const std::string& name, const std::string& text) {
    write_file_atomically(folder.path() / name, text);
    return folder.path() / name;
  };
  const std::string key = EngineCache::key_of({file("m", "model bytes")}, "fp16 H100 8.6.0");
  EXPECT_EQ(EngineCache::key_of({file("same", "model bytes")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(EngineCache::key_of({file("m", "model bytez")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(EngineCache::key_of({file("m", "model bytes")}, "fp16 H100 8.6.1"), key);
  EXPECT_NE(EngineCache::key_of({file("m", "model bytes"), file("d", "weights")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(EngineCache::key_of({file("m", std::string("model bytes\0", 12))}, "fp16 H100 8.6.0"), key);
}

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
