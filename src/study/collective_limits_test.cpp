// Limits of collectives that are kept between runs, by the set of devices.
#include "study/collective_limits.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace nongemm {
namespace {

using ::testing::HasSubstr;

/// The first of several ranks, the others of which are as it is.
class FakeRanks : public Communicator {
 public:
  explicit FakeRanks(int ranks) : ranks_(ranks) {}
  int rank() const override { return 0; }
  int ranks() const override { return ranks_; }
  void barrier() override {}
  std::int64_t from_first(std::int64_t number) override { return number; }
  std::vector<std::string> exchange(const std::string& words) override {
    return std::vector<std::string>(static_cast<std::size_t>(ranks_), words);
  }
  CollectiveLimits measure_collectives() override {
    ++measured;
    if (unsupported) throw Error(ErrorKind::kUnsupported, "no kernel was recorded");
    const double large_s = measured % 2 == 0 ? second_s : first_s;
    return {
        .ranks = ranks_, .devices = {}, .measured_at = {}, .curves = {{"all_reduce", {{1024, 2e-5}, {4096, large_s}}}}};
  }

  double first_s = 4e-5;
  double second_s = 4e-5;
  bool unsupported = false;
  int measured = 0;

 private:
  int ranks_;
};

class CollectiveLimitsCache : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("nongemm-collectives-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "nongemm");
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// What this process knows is known by the number of ranks, too: each set is a new one.
  static FakeRanks new_ranks() { return FakeRanks(next_ranks++); }
  static std::optional<CollectiveLimits> limits_of(FakeRanks& ranks, bool anew = false) {
    return collective_limits_of(ranks, Device(), /*wanted=*/true, anew);
  }

  std::filesystem::path folder_;
  static inline int next_ranks = 2;
};

TEST_F(CollectiveLimitsCache, AreMeasuredOnceAndKept) {
  FakeRanks ranks = new_ranks();
  EXPECT_EQ(limits_of(ranks)->curves.front().points.back().time_s, 4e-5);
  EXPECT_THAT(limits_of(ranks)->devices, HasSubstr(std::to_string(ranks.ranks()) + " x "));
  EXPECT_EQ(ranks.measured, 2) << "twice, to see whether the machine is busy";
  const std::vector<CollectiveLimits> kept = kept_collective_limits();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept.front().ranks, ranks.ranks());
  EXPECT_EQ(kept.front().curves.front().op, "all_reduce");
  EXPECT_EQ(kept.front().curves.front().points.back().bytes, 4096);
  EXPECT_EQ(kept.front().curves.front().points.back().time_s, 4e-5);
}

TEST_F(CollectiveLimitsCache, NothingIsMeasuredWhereTheyAreNotWanted) {
  FakeRanks ranks = new_ranks();
  EXPECT_FALSE(collective_limits_of(ranks, Device(), /*wanted=*/false, /*anew=*/false).has_value());
  EXPECT_EQ(ranks.measured, 0);
}

TEST_F(CollectiveLimitsCache, MeasurementsThatDisagreeAreUsedAndNotKept) {
  FakeRanks ranks = new_ranks();
  ranks.second_s = 6e-5;
  testing::internal::CaptureStderr();
  const std::optional<CollectiveLimits> found = limits_of(ranks);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("differ 1.5 times"));
  EXPECT_EQ(found->curves.front().points.back().time_s, 4e-5) << "the better one";
  EXPECT_THAT(found->measured_at, HasSubstr("busy"));
  EXPECT_TRUE(kept_collective_limits().empty());
}

TEST_F(CollectiveLimitsCache, OldOnesThatRanksExceededAreRaised) {
  FakeRanks ranks = new_ranks();
  const std::optional<CollectiveLimits> fresh = limits_of(ranks);
  EXPECT_FALSE(may_be_raised(*fresh)) << "measured by this process";
  ranks.first_s = ranks.second_s = 3e-5;
  EXPECT_EQ(raise_limits(ranks, *fresh).curves.front().points.back().time_s, 3e-5);
  EXPECT_EQ(kept_collective_limits().front().curves.front().points.back().time_s, 3e-5);
  ranks.first_s = ranks.second_s = 5e-5;
  EXPECT_EQ(raise_limits(ranks, *limits_of(ranks)).curves.front().points.back().time_s, 3e-5) << "the better one";
}

TEST_F(CollectiveLimitsCache, OfAnEarlierProcessAreReadAndRaisedWhenTheyAreOld) {
  for (const int age : {0, 2}) {
    FakeRanks earlier = new_ranks();
    std::string devices = limits_of(earlier)->devices;
    FakeRanks ranks = new_ranks();
    devices.replace(0, devices.find(' '), std::to_string(ranks.ranks()));
    const std::filesystem::path file =
        folder_ / "nongemm" / fmt::format("limits-ranks-{}-{:016x}.json", ranks.ranks(), hash_of(devices));
    write_file_atomically(file, fmt::format(R"({{"version": 1, "ranks": {}, "devices": "{}", "measured_at": "before",
                                             "curves": {{"all_reduce": [[1024, 1e-5], [4096, 9e-5]]}}}})",
                                            ranks.ranks(), devices));
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(age));
    const std::optional<CollectiveLimits> found = limits_of(ranks);
    EXPECT_EQ(ranks.measured, 0);
    EXPECT_EQ(found->curves.front().points.back().time_s, 9e-5);
    EXPECT_EQ(may_be_raised(*found), age > 0) << "of the last hour they are believed";
    const CollectiveLimits raised = raise_limits(ranks, *found);
    EXPECT_EQ(raised.curves.front().points.front().time_s, 1e-5) << "the better one of each";
    EXPECT_EQ(raised.curves.front().points.back().time_s, 4e-5);
    EXPECT_FALSE(may_be_raised(raised));
  }
}

TEST_F(CollectiveLimitsCache, ADeviceThatTellsNoTimesHasNone) {
  FakeRanks ranks = new_ranks();
  ranks.unsupported = true;
  EXPECT_FALSE(limits_of(ranks).has_value());
  EXPECT_TRUE(kept_collective_limits().empty());
}

TEST_F(CollectiveLimitsCache, WhatThisProgramDidNotWriteIsNoLimit) {
  const std::string good = R"({"version": 1, "ranks": 2, "devices": "two", "measured_at": "2026-11-30T10:00:00Z",
                               "curves": {"all_reduce": [[1024, 1e-5], [4096, 2e-5]]}})";
  const auto replaced = [&](const std::string& what, const std::string& with) {
    return std::string(good).replace(good.find(what), what.size(), with);
  };
  write_file_atomically(folder_ / "nongemm" / "limits-ranks-2-0.json", good);
  EXPECT_EQ(kept_collective_limits().size(), 1U);
  for (const std::string& bad :
       {std::string("[]"), std::string("{"), replaced("1e-5", "-1"), replaced("1e-5", "1e99"), replaced("4096", "512"),
        replaced("[4096, 2e-5]", "4096"), replaced("devices", "device"), replaced("\"ranks\": 2", "\"ranks\": null"),
        replaced("curves", "curve")}) {
    write_file_atomically(folder_ / "nongemm" / "limits-ranks-2-0.json", bad);
    testing::internal::CaptureStderr();
    EXPECT_TRUE(kept_collective_limits().empty()) << bad;
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the kept limits are not used")) << bad;
  }
}

}  // namespace
}  // namespace nongemm
