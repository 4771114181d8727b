#include "study/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "study/exit_code.h"

namespace nongemm {
namespace {

using testing::ElementsAre;

Document with(const std::vector<StatusKind>& kinds) {
  Document document;
  for (const StatusKind kind : kinds) document.points.emplace_back().status.kind = kind;
  return document;
}

TEST(Sweep, APointThatThrowsIsARow) {
  std::vector<std::string> said;
  std::vector<std::size_t> checkpoints;
  Document document;
  run_sweep({.points = 3,
             .name = [](std::size_t i) { return "p" + std::to_string(i); },
             .measure =
                 [](std::size_t i, const Progress& progress) {
                   progress("measuring");
                   if (i == 1) throw Error(ErrorKind::kUnsupported, "no such thing");
                   Point point;
                   point.command = std::to_string(i);
                   return point;
                 },
             .say = [&](const std::string& text) { said.push_back(text); },
             .added = [&](const Document& so_far) { checkpoints.push_back(so_far.points.size()); }},
            document);
  ASSERT_EQ(document.points.size(), 3U);
  EXPECT_TRUE(document.points[0].status.ok());
  EXPECT_EQ(document.points[1].status.kind, StatusKind::kUnsupported);
  EXPECT_EQ(document.points[1].status.reason, "no such thing");
  EXPECT_EQ(document.points[1].setting("point"), "p1");
  EXPECT_EQ(document.points[2].command, "2");
  EXPECT_THAT(said, ElementsAre("[1/3] p0: measuring", "[2/3] p1: measuring", "[3/3] p2: measuring", ""));
  EXPECT_THAT(checkpoints, ElementsAre(1, 2, 3));
  EXPECT_EQ(exit_code_of(document), kSuccess);
}

TEST(ExitCode, FollowsFromTheRows) {
  EXPECT_EQ(exit_code_of(with({StatusKind::kOk, StatusKind::kOk})), kSuccess);
  EXPECT_EQ(exit_code_of(with({StatusKind::kOk, StatusKind::kUnsupported})), kSuccess);
  EXPECT_EQ(exit_code_of(with({StatusKind::kUnsupported})), kFailure);
  for (const StatusKind bad : {StatusKind::kIncomplete, StatusKind::kBadInput, StatusKind::kOutOfMemory,
                               StatusKind::kFailed, StatusKind::kIo, StatusKind::kUsage}) {
    EXPECT_EQ(exit_code_of(with({StatusKind::kOk, bad})), kFailure) << name_of(bad);
  }
  EXPECT_EQ(exit_code_of(with({})), kFailure);
}

TEST(ExitCode, FollowsFromTheError) {
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kUsage, "")), kWrongInput);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kBadInput, "")), kWrongInput);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kUnsupported, "")), kFailure);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::kIo, "")), kFailure);
  EXPECT_EQ(exit_code_of(std::runtime_error("")), kFailure);
}

}  // namespace
}  // namespace nongemm
