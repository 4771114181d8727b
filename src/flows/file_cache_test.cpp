#include "flows/file_cache.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/temporary_folder.h"

namespace nongemm {
namespace {

TEST(FileCache, KeepsWhatWasWritten) {
  const TemporaryFolder folder;
  const FileCache cache((folder.path() / "engines").string(), "flow");
  EXPECT_FALSE(cache.read("a").has_value());
  cache.write("a", std::string("\0bytes", 6));
  EXPECT_EQ(cache.read("a"), std::string("\0bytes", 6));
}

TEST(FileCache, OffAndWithoutRightsKeepNothing) {
  const FileCache off("off", "flow");
  EXPECT_FALSE(off.enabled());
  off.write("a", "b");
  EXPECT_FALSE(off.read("a").has_value());
  const FileCache nowhere("/proc/no/such/folder", "flow");
  nowhere.write("a", "b");
  EXPECT_FALSE(nowhere.read("a").has_value());
}

TEST(FileCache, KeysTellAllPartsApart) {
  const TemporaryFolder folder;
  const auto file = [&](const std::string& name, const std::string& text) {
    write_file_atomically(folder.path() / name, text);
    return folder.path() / name;
  };
  const std::string key = FileCache::key_of({file("m", "model bytes")}, "fp16 H100 8.6.0");
  EXPECT_EQ(FileCache::key_of({file("same", "model bytes")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(FileCache::key_of({file("m", "model bytez")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(FileCache::key_of({file("m", "model bytes")}, "fp16 H100 8.6.1"), key);
  EXPECT_NE(FileCache::key_of({file("m", "model bytes"), file("d", "weights")}, "fp16 H100 8.6.0"), key);
  EXPECT_NE(FileCache::key_of({file("m", std::string("model bytes\0", 12))}, "fp16 H100 8.6.0"), key);
}

}  // namespace
}  // namespace nongemm
