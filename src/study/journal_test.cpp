#include "study/journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/hash.h"
#include "base/temporary_folder.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string content_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Point named(const std::string& name) {
  Point point;
  point.key = name;
  point.command = "nongemm run " + name;
  point.settings = {{"model", name + " \"quoted\", \xC3\xA9 <&>\n"}, {"flow", "torch"}};
  point.samples = {{"latency", {0.25, 1.0 / 3}}};
  point.process = 2;
  return point;
}

class JournalTest : public testing::Test {
 protected:
  void fill() {
    Journal journal(path_);
    journal.begin_session({{"nongemm", "0.1"}, {"processor", "x"}}, 3);
    journal.add(named("a"));
    journal.add(named("b"));
  }
  std::string refusal() {
    try {
      Journal journal(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "journal.jsonl";
};

TEST_F(JournalTest, GivesBackWhatItWasGiven) {
  fill();
  const JournalContent content = read_journal(path_);
  ASSERT_EQ(content.points.size(), 2U);
  EXPECT_EQ(content.promised, 3U);
  ASSERT_EQ(content.sessions.size(), 1U);
  EXPECT_EQ(content.sessions[0][1], std::pair(std::string("processor"), std::string("x")));
  EXPECT_EQ(content.points[1].program, program_version());
  EXPECT_EQ(point_text(content.points[1].point), point_text(named("b")));
  EXPECT_EQ(content.points[1].point.process, 2);
}

TEST_F(JournalTest, IsTheSameWhereverItsLastLineIsTorn) {
  fill();
  const std::string whole = content_of(path_);
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] == '\n') ends.push_back(i + 1);
  }
  ASSERT_EQ(ends.size(), 3U);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write(path_, whole.substr(0, size));
    const auto complete = std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= size; });
    {
      Journal journal(path_);
      EXPECT_EQ(journal.content().points.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(complete - 1, 0)));
      if (complete == 0) journal.begin_session({}, 1);
      journal.add(named("c"));
    }
    const JournalContent after = read_journal(path_);
    ASSERT_FALSE(after.points.empty()) << size;
    EXPECT_EQ(after.points.back().point.key, "c");
    EXPECT_EQ(after.points.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(complete - 1, 0)) + 1);
  }
}

TEST_F(JournalTest, ATailOfZerosIsATornLine) {
  fill();
  const std::string whole = content_of(path_);
  write(path_, whole + std::string(512, '\0'));
  EXPECT_EQ(Journal(path_).content().points.size(), 2U);
  EXPECT_EQ(content_of(path_), whole);
}

TEST_F(JournalTest, DamageInTheMiddleIsRefusedByLine) {
  fill();
  std::string damaged = content_of(path_);
  const std::size_t at = damaged.find("nongemm run a");
  damaged[at] = 'N';
  write(path_, damaged);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("journal.jsonl:2 is damaged"), HasSubstr("remove this line")));
  EXPECT_EQ(content_of(path_), damaged) << "what is refused stays as it is";
}

TEST_F(JournalTest, OtherFilesAndVersionsAreRefusedAndLeftAlone) {
  for (const char* text : {"hello\n", "hello", "{\"schema\": \"nongemm-report\"}\n"}) {
    write(path_, text);
    EXPECT_THAT(refusal(), HasSubstr("no line of a journal"));
    EXPECT_EQ(content_of(path_), text);
  }
  const std::string line = R"({"schema":"nongemm-journal","version":9})";
  write(path_, fmt::format("{{\"sum\":\"{:016x}\",\"line\":{}}}\n", hash_of(line), line));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is a journal of version 9, this program has version 1"),
                               HasSubstr("the nongemm that wrote it")));
}

TEST_F(JournalTest, ASecondWriterIsRefused) {
  Journal first(path_);
  try {
    Journal second(path_);
    FAIL() << "both write";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("another nongemm is writing"), HasSubstr("journal.jsonl")));
  }
}

TEST_F(JournalTest, WhatDoesNotFitLeavesNothing) {
  fill();
  const std::string before = content_of(path_);
  Journal journal(path_);
  // A file that may not grow is as good as a full disk: a part of the line still fits.
  rlimit usual = {};
  getrlimit(RLIMIT_FSIZE, &usual);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit full = usual;
  full.rlim_cur = before.size() + 50;
  setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_THROW(journal.add(named("c")), Error);
  setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(content_of(path_), before);
  journal.add(named("c"));
  EXPECT_EQ(read_journal(path_).points.size(), 3U);
}

TEST_F(JournalTest, AFolderOfJournalsIsOneReport) {
  fill();
  {
    Journal part(folder_.path() / "journal.2.jsonl");
    part.begin_session({}, 1);
    part.add(named("c"));
    part.add(named("a"));
  }
  const Document document = read_report(folder_.path());
  ASSERT_EQ(document.points.size(), 3U);
  EXPECT_EQ(document.points[2].key, "b");
}

TEST_F(JournalTest, AFolderOfOtherNamesIsAllThatIsThere) {
  const std::filesystem::path folder = folder_.path() / "data";
  std::filesystem::create_directories(folder);
  try {
    read_report(folder.string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("holds no report"), HasSubstr("*.json")));
  }
  const auto keys = [&] {
    std::vector<std::string> all;
    for (const Point& point : read_report(folder.string()).points) all.push_back(point.key);
    return all;
  };
  const auto add_report = [&](const char* name, const char* key) {
    std::ofstream file(folder / name);
    find_writer("json").write({{}, {named(key)}}, file);
  };
  add_report("epyc.json", "b");
  {
    Journal part(folder / "a-sweep.jsonl");
    part.begin_session({}, 1);
    part.add(named("a"));
  }
  write(folder / "pages.txt", "no report");
  EXPECT_THAT(keys(), testing::ElementsAre("a", "b"));
  add_report("report.json", "c");
  EXPECT_THAT(keys(), testing::ElementsAre("c")) << "what a run wrote there is its own";
}

}  // namespace
}  // namespace nongemm
