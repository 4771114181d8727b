#include "base/zip_writer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/zip.h"

namespace nongemm {
namespace {

std::shared_ptr<const MappedFile> as_file(const std::string& bytes) {
  const auto copy = std::make_shared<std::string>(bytes);
  return MappedFile::of({copy, reinterpret_cast<const std::byte*>(copy->data())}, copy->size(), "memory.zip");
}

TEST(ZipWriter, IsReadBackByTheReader) {
  std::string bytes;
  ZipWriter zip(
      [&](std::span<const std::byte> part) { bytes.append(reinterpret_cast<const char*>(part.data()), part.size()); });
  const std::string large(100'000, 'x');
  zip.add("a/empty", "");
  zip.add("a/text", "some text");
  zip.add("a/large", large);
  zip.finish();
  EXPECT_EQ(zip.bytes(), bytes.size());

  const ZipArchive archive(as_file(bytes));
  ASSERT_EQ(archive.entries().size(), 3U);
  EXPECT_EQ(archive.read(*archive.find("a/text")).text(), "some text");
  EXPECT_EQ(archive.read(*archive.find("a/large")).text(), large);
  EXPECT_EQ(archive.find("a/empty")->size, 0U);
  for (const ZipArchive::Entry& entry : archive.entries()) EXPECT_EQ(entry.offset % 64, 0U) << entry.name;
}

TEST(ZipWriter, KeepsManyEntriesByZip64) {
  std::string bytes;
  ZipWriter zip(
      [&](std::span<const std::byte> part) { bytes.append(reinterpret_cast<const char*>(part.data()), part.size()); });
  constexpr int kCount = 70'000;  // more than 16 bits count
  for (int i = 0; i < kCount; ++i) zip.add(std::to_string(i), "");
  zip.finish();
  EXPECT_EQ(ZipArchive(as_file(bytes)).entries().size(), static_cast<std::size_t>(kCount));
}

}  // namespace
}  // namespace nongemm
