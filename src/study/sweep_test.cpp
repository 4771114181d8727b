#include "study/sweep.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "study/exit_code.h"

namespace nongemm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Document with(const std::vector<StatusKind>& kinds) {
  Document document;
  for (const StatusKind kind : kinds) document.points.emplace_back().status.kind = kind;
  return document;
}

/// Points "p0", "p1", ... in this process.
Sweep sweep_of(std::size_t points, std::function<Point(std::size_t i)> measure) {
  Sweep sweep;
  for (std::size_t i = 0; i < points; ++i)
    sweep.points.push_back({fmt::format("p{}", i), fmt::format("k{}", i), "f", 0});
  sweep.measure = in_this_process([measure](std::size_t i, const Progress& progress) {
    progress("measuring");
    return measure(i);
  });
  sweep.say = [](const std::string&) {};
  sweep.runtime_version = [](const std::string&) { return "7"; };
  return sweep;
}

Point point_of(std::size_t i) {
  Point point;
  point.key = fmt::format("k{}", i);
  point.command = std::to_string(i);
  point.settings = {{"flow", "f"}, {"runtime", "7"}};
  return point;
}

std::vector<std::string> commands_of(const Document& document) {
  std::vector<std::string> commands;
  for (const Point& point : document.points) commands.push_back(point.command);
  return commands;
}

TEST(Sweep, APointThatThrowsIsARow) {
  std::vector<std::string> said;
  Sweep sweep = sweep_of(3, [](std::size_t i) {
    if (i == 1) throw Error(ErrorKind::kUnsupported, "no such thing");
    return point_of(i);
  });
  sweep.say = [&](const std::string& text) { said.push_back(text.substr(0, text.find(','))); };
  Document document;
  run_sweep(sweep, document);
  ASSERT_EQ(document.points.size(), 3U);
  EXPECT_TRUE(document.points[0].status.ok());
  EXPECT_EQ(document.points[1].status.kind, StatusKind::kUnsupported);
  EXPECT_EQ(document.points[1].status.reason, "no such thing");
  EXPECT_EQ(document.points[1].setting("point"), "p1");
  EXPECT_EQ(document.points[1].key, "k1");
  EXPECT_EQ(document.points[2].command, "2");
  EXPECT_THAT(said, ElementsAre("[1/3] p0: measuring", "[2/3] p1: measuring", "[3/3] p2: measuring", ""));
  EXPECT_EQ(exit_code_of(document), kSuccess);
}

/// A sweep of four points with a journal, of which `before` are measured before it is given up.
class Resumed : public testing::Test {
 protected:
  std::vector<std::size_t> run(std::size_t points, bool resume, std::function<Point(std::size_t)> measure = point_of) {
    std::vector<std::size_t> measured;
    Sweep sweep = sweep_of(points, [&](std::size_t i) {
      measured.push_back(i);
      return measure(i);
    });
    Journal journal(path_);
    sweep.journal = &journal;
    sweep.resume = resume;
    sweep.runtime_version = [this](const std::string&) { return runtime_; };
    document_ = {};
    document_.context = {{"nongemm", "test"}};
    run_sweep(sweep, document_);
    return measured;
  }
  /// As a process that was killed at its third point.
  void stop_at_the_third() {
    EXPECT_THROW(run(4, false,
                     [](std::size_t i) -> Point {
                       if (i == 2) throw 7;
                       return point_of(i);
                     }),
                 int);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "journal.jsonl";
  std::string runtime_ = "7";
  Document document_;
};

TEST_F(Resumed, MeasuresWhatTheJournalLacks) {
  stop_at_the_third();
  EXPECT_THAT(run(4, true), ElementsAre(2, 3));
  EXPECT_THAT(commands_of(document_), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(run(4, true), ElementsAre());
  EXPECT_THAT(commands_of(document_), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(commands_of(read_report(path_)), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(commands_of(read_report(folder_.path())), ElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(read_journal(path_).sessions.size(), 2U);
}

TEST_F(Resumed, AnotherRuntimeMeasuresAgain) {
  stop_at_the_third();
  runtime_ = "8";
  EXPECT_THAT(run(4, true), ElementsAre(0, 1, 2, 3));
}

TEST_F(Resumed, AnInterruptedPointIsMeasuredAgain) {
  run(4, false, [](std::size_t i) {
    Point point = point_of(i);
    if (i == 1) point.status.kind = StatusKind::kIncomplete;
    if (i == 2) point.status.kind = StatusKind::kFailed;
    return point;
  });
  EXPECT_THAT(run(4, true), ElementsAre(1));
  EXPECT_EQ(read_report(path_).points.size(), 4U);
  EXPECT_TRUE(read_report(path_).points[1].status.ok());
}

TEST_F(Resumed, ASweepThatDidNotEndIsNotThrownAway) {
  stop_at_the_third();
  try {
    run(4, false);
    FAIL() << "it was begun anew";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("holds 2 of the 4 points"));
    EXPECT_THAT(error.what(), HasSubstr("--resume"));
  }
  run(4, true);
  EXPECT_THAT(run(2, false), ElementsAre(0, 1));
  EXPECT_EQ(read_report(path_).points.size(), 2U);
}

TEST(ExitCode, FollowsFromTheRows) {
  EXPECT_EQ(exit_code_of(with({StatusKind::kOk, StatusKind::kOk})), kSuccess);
  EXPECT_EQ(exit_code_of(with({StatusKind::kOk, StatusKind::kUnsupported})), kSuccess);
  EXPECT_EQ(exit_code_of(with({StatusKind::kUnsupported})), kNotSupported);
  EXPECT_EQ(exit_code_of(with({StatusKind::kBadInput, StatusKind::kBadInput})), kWrongInput);
  EXPECT_EQ(exit_code_of(with({StatusKind::kBadInput, StatusKind::kFailed})), kFailure);
  for (const StatusKind bad : {StatusKind::kIncomplete, StatusKind::kBadInput, StatusKind::kOutOfMemory,
                               StatusKind::kFailed, StatusKind::kIo, StatusKind::kUsage}) {
    EXPECT_EQ(exit_code_of(with({StatusKind::kOk, bad})), kFailure) << name_of(bad);
  }
  EXPECT_EQ(exit_code_of(with({})), kFailure);
}

TEST(ExitCode, FollowsFromTheError) {
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kUsage, "")), kWrongUsage);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kBadInput, "")), kWrongInput);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kUnsupported, "")), kNotSupported);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kIo, "")), kFailure);
  EXPECT_EQ(exit_code_of(std::runtime_error("")), kFailure);
}

}  // namespace
}  // namespace nongemm
