#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string error_of(auto&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(WriteFileAtomically, ReplacesAFileAndLeavesNoTemporary) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "report.json";
  write_file_atomically(path, "old");
  write_file_atomically(path, "new content");
  EXPECT_EQ(read_file(path, 100), "new content");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(WriteFileAtomically, WithoutCommitTheOldFileStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "report.json";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("half of the n");
  }
  EXPECT_EQ(read_file(path, 100), "old");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(WriteFileAtomically, FollowsASymbolicLink) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "real", "old");
  fs::create_symlink("real", folder.path() / "link");
  write_file_atomically(folder.path() / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_file(folder.path() / "real", 100), "new");
}

TEST(WriteFileAtomically, NamesThePathAndTheReason) {
  const TemporaryFolder folder;
  const std::string missing = error_of([&] { write_file_atomically(folder.path() / "no" / "file", "x"); });
  EXPECT_NE(missing.find("no/file: cannot be written: No such file"), std::string::npos) << missing;
  const std::string is_folder = error_of([&] { write_file_atomically(folder.path(), "x"); });
  EXPECT_NE(is_folder.find("Is a directory"), std::string::npos) << is_folder;
}

TEST(WriteFileAtomically, ReportsAFullDisk) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string full = error_of([] { write_file_atomically("/dev/full", "x"); });
  EXPECT_NE(full.find("/dev/full: cannot be written: No space left"), std::string::npos) << full;
}

TEST(WriteFileAtomically, ASizeLimitLeavesNothingBehind) {
  const TemporaryFolder folder;
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old_limit;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      error_of([&] { write_file_atomically(folder.path() / "large", std::string(100'000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_NE(message.find("large: cannot be written: File too large"), std::string::npos) << message;
  EXPECT_EQ(entries_in(folder.path()), 0u);
}

TEST(WriteFileAtomically, WritesADeviceDirectly) {
  write_file_atomically("/dev/null", "x");
  struct stat status = {};
  ASSERT_EQ(stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(ReadFile, RefusesWhatIsLongerThanTheLimit) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.json", "0123456789");
  EXPECT_EQ(read_file(folder.path() / "config.json", 10), "0123456789");
  const std::string message = error_of([&] { read_file(folder.path() / "config.json", 9); });
  EXPECT_NE(message.find("config.json: has 10 bytes, at most 9"), std::string::npos) << message;
}

TEST(MappedFile, MapsAndRefuses) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a", "abc");
  write_file_atomically(folder.path() / "empty", "");
  const auto file = MappedFile::open(folder.path() / "a");
  ASSERT_EQ(file->bytes().size(), 3u);
  EXPECT_EQ(file->bytes()[1], std::byte{'b'});
  EXPECT_TRUE(MappedFile::open(folder.path() / "empty")->bytes().empty());
  EXPECT_NE(error_of([&] { MappedFile::open(folder.path() / "b"); }).find("No such file"), std::string::npos);
  EXPECT_NE(error_of([&] { MappedFile::open(folder.path()); }).find("not a regular file"), std::string::npos);
  ASSERT_EQ(mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_NE(error_of([&] { MappedFile::open(folder.path() / "pipe"); }).find("not a regular file"), std::string::npos);
}

}  // namespace
}  // namespace nongemm
