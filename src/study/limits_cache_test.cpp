// Limits that are kept between runs, and what happens to those of a busy moment.
#include "study/limits_cache.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace nongemm {
namespace {

/// Measures what it is told, and counts.
class FakeFlow : public Flow {
 public:
  FlowInfo info() const override { return {"torch", "a fake", "1", {Device()}}; }
  std::unique_ptr<Session> prepare(const Graph&, const std::vector<HostTensor>&, const RunOptions&) override {
    throw Error(ErrorKind::kUnsupported, "nothing runs here");
  }
  DeviceLimits measure_limits(const RunOptions&) override {
    ++measured;
    return measured % 2 == 0 && again ? *again : now;
  }

  DeviceLimits now;
  std::optional<DeviceLimits> again;  // every second time
  int measured = 0;
};

DeviceLimits limits(double copy, double fp32, std::optional<double> fp16, double launch_ns) {
  DeviceLimits limits;
  limits.device = "a processor";
  limits.copy_bandwidth = copy;
  limits.read_bandwidth = copy;
  limits.fp32_rate = fp32;
  limits.fp16_rate = fp16;
  limits.launch_ns = launch_ns;
  return limits;
}

class LimitsCache : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("nongemm-limits-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
    // What this process knows is known by the thread count, too: each test is a device of its own.
    options_.threads = next_device++;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "nongemm")) return entry.path();
    return {};
  }
  /// As an earlier process left them.
  void keep(const std::string& json, std::chrono::hours age) {
    FakeFlow flow;
    flow.now = limits(1, 1, 1, 1);
    limits_of(flow, options_, false);  // to learn the file's name
    const std::filesystem::path path = file();
    options_.threads = next_device++;
    std::string name = path.filename().string();
    const std::string before = "-cpu-" + std::to_string(options_.threads - 1) + "-";
    name.replace(name.find(before), before.size(), "-cpu-" + std::to_string(options_.threads) + "-");
    write_file_atomically(path.parent_path() / name, json);
    std::filesystem::last_write_time(path.parent_path() / name, std::filesystem::file_time_type::clock::now() - age);
    std::filesystem::remove(path);
  }

  std::filesystem::path folder_;
  RunOptions options_;
  static inline int next_device = 1;
};

constexpr const char* kSlow =
    R"({"version": 3, "device": "a processor", "measured_at": "2026-11-22T10:00:00Z", "copy_bandwidth": 5.0,
                                  "read_bandwidth": 5.0, "fp32_rate": 10.0,
                                  "fp16_rate": 30.0, "launch_ns": 7.0})";

TEST_F(LimitsCache, AreMeasuredOnceAndKept) {
  FakeFlow flow;
  flow.now = limits(1, 2, std::nullopt, 3);
  EXPECT_EQ(limits_of(flow, options_, false)->fp32_rate, 2);
  EXPECT_EQ(limits_of(flow, options_, false)->fp32_rate, 2);
  EXPECT_EQ(flow.measured, 2) << "twice, to see whether the machine is busy";
  EXPECT_THAT(read_file(file(), 1 << 16), testing::HasSubstr("\"fp32_rate\": 2.0"));
}

TEST_F(LimitsCache, KeptOnesAreReadInsteadOfMeasuring) {
  keep(kSlow, std::chrono::hours(2));
  FakeFlow flow;
  EXPECT_EQ(limits_of(flow, options_, false)->fp16_rate, 30);
  EXPECT_EQ(flow.measured, 0);
}

TEST_F(LimitsCache, ThoseOfAnotherVersionAreMeasuredAnew) {
  for (const char* older : {R"({"device": "a processor", "copy_bandwidth": 5.0, "fp32_rate": 10.0})",
                            R"({"version": 2, "copy_bandwidth": 5.0})", R"({"version": "2", "copy_bandwidth": 5.0})"}) {
    keep(older, std::chrono::hours(2));
    FakeFlow flow;
    flow.now = limits(1, 2, std::nullopt, 3);
    EXPECT_EQ(limits_of(flow, options_, false)->copy_bandwidth, 1) << older;
    EXPECT_EQ(flow.measured, 2);
  }
}

TEST_F(LimitsCache, WhatThisProgramDidNotWriteIsMeasuredAnewWithAWarning) {
  const std::string whole = kSlow;
  const std::string without_copy = std::string(whole).replace(whole.find("copy_bandwidth"), 4, "cppy");
  const std::string negative = std::string(whole).replace(whole.find("10.0"), 4, "-1.0");
  const std::string absurd = std::string(whole).replace(whole.find("10.0"), 4, "1e99");
  const std::string undated = std::string(whole).replace(whole.find("measured_at"), 8, "measurre");
  for (const std::string& nonsense :
       {std::string(R"({"x": 1})"), std::string("[]"), std::string("{"), without_copy, negative, absurd, undated}) {
    keep(nonsense, std::chrono::hours(2));
    FakeFlow flow;
    flow.now = limits(1, 2, std::nullopt, 3);
    testing::internal::CaptureStderr();
    const std::optional<DeviceLimits> found = limits_of(flow, options_, false);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("the kept limits are not used")) << nonsense;
    EXPECT_EQ(found->fp32_rate, 2) << nonsense;
    EXPECT_EQ(flow.measured, 2) << nonsense;
  }
}

TEST_F(LimitsCache, APipeOrAnotherUsersFileIsNoCache) {
  for (const bool pipe : {true, false}) {
    options_.threads = next_device++;  // what is known of the first is not asked for again
    keep(kSlow, std::chrono::hours(2));
    if (pipe) {
      const std::filesystem::path path = file();
      std::filesystem::remove(path);
      ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    } else {
      if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
      ASSERT_EQ(chown(file().c_str(), 12345, 12345), 0);
    }
    FakeFlow flow;
    flow.now = limits(1, 2, std::nullopt, 3);
    testing::internal::CaptureStderr();
    EXPECT_EQ(limits_of(flow, options_, false)->fp32_rate, 2) << pipe;
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("the kept limits are not used")) << pipe;
    std::filesystem::remove_all(folder_);
  }
}

TEST_F(LimitsCache, MeasurementsThatDisagreeAreUsedAndNotKept) {
  FakeFlow flow;
  flow.now = limits(1, 2, std::nullopt, 3);
  flow.again = limits(1, 3, std::nullopt, 3);
  testing::internal::CaptureStderr();
  const std::optional<DeviceLimits> found = limits_of(flow, options_, false);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("differ 1.5 times"));
  EXPECT_EQ(found->fp32_rate, 3);
  EXPECT_THAT(found->measured_at, testing::HasSubstr("busy"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "nongemm"));
}

TEST_F(LimitsCache, OldOnesThatARunExceededAreRaised) {
  keep(kSlow, std::chrono::hours(2));
  FakeFlow flow;
  limits_of(flow, options_, false);
  flow.now = limits(4, 20, std::nullopt, 3);
  const std::optional<DeviceLimits> raised = raise_limits(flow, options_);
  ASSERT_TRUE(raised.has_value());
  EXPECT_EQ(raised->copy_bandwidth, 5);  // the better of both, figure by figure
  EXPECT_EQ(raised->fp32_rate, 20);
  EXPECT_EQ(raised->fp16_rate, 30);
  EXPECT_EQ(raised->launch_ns, 3);
  EXPECT_THAT(read_file(file(), 1 << 16), testing::HasSubstr("\"fp32_rate\": 20.0"));
  EXPECT_EQ(limits_of(flow, options_, false)->fp32_rate, 20);
  EXPECT_FALSE(raise_limits(flow, options_).has_value()) << "measured by this process";
  EXPECT_EQ(flow.measured, 1);
}

TEST_F(LimitsCache, TimesOfTheQueueAreKeptTogether) {
  FakeFlow flow;
  flow.now = limits(1, 2, std::nullopt, 3);
  flow.now.queue = QueueTimes{.start_ns = 1,
                              .switch_ns = 2,
                              .return_ns = 3,
                              .wait_ns = 4,
                              .recorded_start_ns = 5,
                              .recorded_switch_ns = 6,
                              .recording_ns = 7};
  limits_of(flow, options_, false);
  const std::string kept = read_file(file(), 1 << 16);
  EXPECT_THAT(kept, testing::HasSubstr("\"queue_recording_ns\": 7.0"));
  keep(kept, std::chrono::hours(2));
  FakeFlow later;
  const std::optional<DeviceLimits> found = limits_of(later, options_, false);
  EXPECT_EQ(later.measured, 0);
  ASSERT_TRUE(found->queue.has_value());
  EXPECT_EQ(found->queue->start_ns, 1);
  EXPECT_EQ(found->queue->recorded_switch_ns, 6);
}

TEST_F(LimitsCache, RecentOnesAreBelieved) {
  keep(kSlow, std::chrono::hours(0));
  FakeFlow flow;
  limits_of(flow, options_, false);
  EXPECT_FALSE(raise_limits(flow, options_).has_value());
  EXPECT_EQ(flow.measured, 0);
}

}  // namespace
}  // namespace nongemm
