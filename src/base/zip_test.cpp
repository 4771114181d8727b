#include "base/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string deflate_raw(const std::string& text) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// What one entry says of itself, so that a test can make it lie.
struct Part {
  std::string name;
  std::string content;
  bool deflated = false;
  std::string local_name = name;
  int flags = 0;
  int method = deflated ? 8 : 0;
  std::int64_t size_lie = 0;         // added to the size, in both headers
  std::int64_t local_size_lie = 0;   // added to the compressed size in the local header only
  std::int64_t stored_size_lie = 0;  // added to both sizes in both headers
  std::int64_t offset_lie = 0;       // added to the local header's offset
  std::uint32_t crc_lie = 0;
  bool zip64 = false;
};

struct Archive {
  std::vector<Part> parts;
  bool zip64_end = false;
  std::int64_t count_lie = 0;
  std::int64_t directory_size_lie = 0;
  std::int64_t directory_offset_lie = 0;
  int disk = 0;
  std::string comment = {};

  std::string bytes() const {
    std::string file;
    std::string directory;
    for (const Part& part : parts) {
      const std::string data = part.deflated ? deflate_raw(part.content) : part.content;
      const auto crc = static_cast<std::uint32_t>(
          crc32(0, reinterpret_cast<const Bytef*>(part.content.data()), static_cast<uInt>(part.content.size())));
      const auto compressed = static_cast<std::uint64_t>(static_cast<std::int64_t>(data.size()) + part.stored_size_lie);
      const auto size = static_cast<std::uint64_t>(static_cast<std::int64_t>(part.content.size()) + part.size_lie +
                                                   part.stored_size_lie);
      const auto offset = static_cast<std::uint64_t>(static_cast<std::int64_t>(file.size()) + part.offset_lie);
      const std::string versions = little(45, 2);
      const std::string common = little(static_cast<unsigned>(part.flags), 2) +
                                 little(static_cast<unsigned>(part.method), 2) + little(0, 4) +
                                 little(crc ^ part.crc_lie, 4);
      file += "PK\x03\x04" + versions + common +
              little(compressed + static_cast<std::uint64_t>(part.local_size_lie), 4) + little(size, 4) +
              little(part.local_name.size(), 2) + little(0, 2) + part.local_name + data;
      const std::string extra =
          part.zip64 ? little(1, 2) + little(24, 2) + little(size, 8) + little(compressed, 8) + little(offset, 8) : "";
      const auto in_32 = [&](std::uint64_t value) { return little(part.zip64 ? 0xffffffffu : value, 4); };
      directory += "PK\x01\x02" + little(45, 2) + versions + common + in_32(compressed) + in_32(size) +
                   little(part.name.size(), 2) + little(extra.size(), 2) + little(0, 2) + little(0, 2) + little(0, 6) +
                   in_32(offset) + part.name + extra;
    }
    const auto count = static_cast<std::uint64_t>(static_cast<std::int64_t>(parts.size()) + count_lie);
    const auto directory_size =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(directory.size()) + directory_size_lie);
    const auto at = static_cast<std::uint64_t>(static_cast<std::int64_t>(file.size()) + directory_offset_lie);
    file += directory;
    if (zip64_end) {
      const std::string end64 = "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
                                little(count, 8) + little(count, 8) + little(directory_size, 8) + little(at, 8);
      const std::uint64_t end64_at = file.size();
      file += end64 + "PK\x06\x07" + little(0, 4) + little(end64_at, 8) + little(1, 4);
    }
    const std::string disks = little(static_cast<unsigned>(disk), 2) + little(static_cast<unsigned>(disk), 2);
    const auto small = [&](std::uint64_t value, int bytes) {
      return little(zip64_end ? ~std::uint64_t{0} : value, bytes);
    };
    file += "PK\x05\x06" + disks + small(count, 2) + small(count, 2) + small(directory_size, 4) + small(at, 4) +
            little(comment.size(), 2) + comment;
    return file;
  }
};

class ZipTest : public testing::Test {
 protected:
  std::unique_ptr<ZipArchive> open(const std::string& bytes) const {
    std::ofstream(folder_.path() / "x.zip", std::ios::binary) << bytes;
    return std::make_unique<ZipArchive>(MappedFile::open(folder_.path() / "x.zip"));
  }

  /// Opens and reads every entry.
  std::string error_of(const std::string& bytes) const {
    try {
      const auto archive = open(bytes);
      for (const ZipArchive::Entry& entry : archive->entries()) archive->read(entry);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("x.zip: damaged zip archive: "));
      return error.what();
    }
    return "no error";
  }
  std::string error_of(const Part& part) const { return error_of(Archive{{part}}.bytes()); }

  TemporaryFolder folder_;
};

TEST_F(ZipTest, ReadsStoredAndDeflatedEntries) {
  const std::string text(10'000, 'a');
  for (bool zip64 : {false, true}) {
    Archive archive{{{.name = "stored", .content = "abc", .zip64 = zip64},
                     {.name = "f/", .content = ""},
                     {.name = "f/deflated", .content = text, .deflated = true, .zip64 = zip64},
                     {.name = "empty", .content = "", .deflated = true}}};
    archive.zip64_end = zip64;
    archive.comment = "a comment PK\x05\x06 with a signature inside, long enough to look real";
    ZipArchive::Content stored;
    {
      const auto zip = open(archive.bytes());
      ASSERT_EQ(zip->entries().size(), 3u);
      EXPECT_EQ(zip->find("f/"), nullptr);
      stored = zip->read(*zip->find("stored"));
      EXPECT_EQ(zip->read(*zip->find("f/deflated")).text(), text);
      EXPECT_EQ(zip->read(*zip->find("empty")).size, 0u);
    }
    EXPECT_EQ(stored.text(), "abc");
  }
}

TEST_F(ZipTest, RefusesEveryTruncation) {
  Archive archive{{{.name = "a", .content = "abc"}, {.name = "b", .content = "abcdefgh", .deflated = true}}};
  for (bool zip64 : {false, true}) {
    archive.zip64_end = zip64;
    const std::string whole = archive.bytes();
    EXPECT_EQ(error_of(whole), "no error");
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_NE(error_of(whole.substr(0, size)), "no error") << size;
  }
}

TEST_F(ZipTest, SurvivesEveryDamagedByte) {
  Archive archive{
      {{.name = "a", .content = "abc", .zip64 = true}, {.name = "b", .content = "abcdefgh", .deflated = true}}};
  archive.zip64_end = true;
  const std::string whole = archive.bytes();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      error_of(damaged);  // must not crash; some bytes carry no meaning
    }
  }
}

TEST_F(ZipTest, RefusesNamesThatLeadOut) {
  for (const char* name : {"/etc/passwd", "../a", "a/../../b", "a/..", "..", "a\\b", ""}) {
    EXPECT_NE(error_of(Part{.name = name, .content = "x"}), "no error") << name;
  }
  EXPECT_EQ(error_of(Part{.name = "a..b/.c", .content = "x"}), "no error");
  EXPECT_THAT(error_of(Part{.name = std::string("a\0b", 3), .content = "x"}), HasSubstr("control character"));
}

TEST_F(ZipTest, RefusesEntriesThatLie) {
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .local_name = "b"}), HasSubstr("described differently"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .local_size_lie = 1}), HasSubstr("described differently"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .size_lie = 1}), HasSubstr("its sizes differ"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .stored_size_lie = 1}), HasSubstr("reaches beyond the data"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "xx", .deflated = true, .size_lie = 1}),
              HasSubstr("does not inflate"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "xx", .deflated = true, .size_lie = -1}),
              HasSubstr("does not inflate"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "xx", .deflated = true, .crc_lie = 1}),
              HasSubstr("does not inflate"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .offset_lie = 1}), HasSubstr("is not where"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .flags = 1}), HasSubstr("encrypted"));
  EXPECT_THAT(error_of(Part{.name = "a", .content = "x", .method = 12}), HasSubstr("compression method 12"));
}

TEST_F(ZipTest, RefusesOverlapsDuplicatesAndBombs) {
  // The second header lies inside the first entry's data.
  const std::string inner = Archive{{{.name = "b", .content = "y"}}}.bytes().substr(0, 32);
  Archive overlap{{{.name = "a", .content = inner}, {.name = "b", .content = "y"}}};
  overlap.parts[1].offset_lie = -32;
  EXPECT_THAT(error_of(overlap.bytes()), HasSubstr("entry 'b' overlaps another"));
  Archive twice{{{.name = "a", .content = "x"}, {.name = "a", .content = "y"}}};
  EXPECT_THAT(error_of(twice.bytes()), HasSubstr("entry 'a' appears twice"));
  std::string zeros;
  zeros.resize(40'000'000);
  Part bomb{.name = "a", .content = zeros, .deflated = true};
  EXPECT_THAT(error_of(bomb), HasSubstr("would inflate to more than"));
  Part lie{.name = "a", .content = "x", .deflated = true, .size_lie = 0xf0000000};
  EXPECT_THAT(error_of(lie), HasSubstr("would inflate to more than"));
}

TEST_F(ZipTest, RefusesDirectoriesThatLie) {
  const auto error_with = [&](auto&& change, bool zip64) {
    Archive archive{{{.name = "a", .content = "x"}}};
    archive.zip64_end = zip64;
    change(archive);
    return error_of(archive.bytes());
  };
  for (bool zip64 : {false, true}) {
    for (int lie : {-1, 1, 1000}) {
      EXPECT_NE(error_with([&](Archive& a) { a.count_lie = lie; }, zip64), "no error") << lie;
      EXPECT_NE(error_with([&](Archive& a) { a.directory_size_lie = lie; }, zip64), "no error") << lie;
      EXPECT_NE(error_with([&](Archive& a) { a.directory_offset_lie = lie; }, zip64), "no error") << lie;
    }
  }
  EXPECT_THAT(error_with([](Archive& a) { a.disk = 1; }, false), HasSubstr("several disks"));
  EXPECT_THAT(error_of("PK\x03\x04"), HasSubstr("truncated"));
  EXPECT_THAT(error_of(std::string(100'000, 'x')), HasSubstr("directory is missing"));
}

}  // namespace
}  // namespace nongemm
