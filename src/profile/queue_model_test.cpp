#include "profile/queue_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "record/decomposition.h"

namespace nongemm {
namespace {

constexpr QueueConstants kConstants{.start_ns = 2000, .return_ns = 2500, .wait_ns = 1500};
constexpr double kSwitch = 900;

/// Operators that take the host 10 us each and launch one kernel at 8 us.
Trace host_of(std::uint32_t operators, std::int64_t begin = 1'000'000, std::int64_t each = 10'000) {
  Trace host;
  host.begin_ns = begin;
  for (std::uint32_t i = 0; i < operators; ++i) host.nodes.push_back({i, begin + i * each, begin + (i + 1) * each});
  host.end_ns = begin + operators * each;
  return host;
}

QueuedWork work_of(std::uint32_t span, double duration, double share = 0.8, std::uint32_t stream = 7) {
  QueuedWork work;
  work.record.span = work.record.node = span;
  work.record.stream = stream;
  work.duration_ns = duration;
  work.switch_ns = kSwitch;
  work.place.at = share;
  return work;
}

QueuePlan plan_of(std::uint32_t operators, double duration) {
  QueuePlan plan;
  for (std::uint32_t i = 0; i < operators; ++i) plan.work.push_back(work_of(i, duration));
  return plan;
}

double sum(const Decomposition& parts) {
  return parts.head_ns + parts.device_ns() + parts.gap_ns() + parts.tail_ns + parts.remainder_ns();
}

TEST(QueueModel, ADeviceThatWaitsBeginsWhenLaunchesArrive) {
  const Trace trace = run_queue(plan_of(5, 3000), host_of(5), kConstants);
  ASSERT_EQ(trace.device.size(), 5u);
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(trace.device[static_cast<std::size_t>(i)].begin_ns, 1'000'000 + i * 10'000 + 8000 + 2000);
    EXPECT_EQ(trace.device[static_cast<std::size_t>(i)].end_ns - trace.device[static_cast<std::size_t>(i)].begin_ns,
              3000);
  }
  // The last kernel ends at 53 us, later than a wait that finds nothing to wait for would.
  EXPECT_EQ(trace.end_ns - trace.begin_ns, 53'000 + 2500);
  const Decomposition parts = decompose(trace, 5);
  EXPECT_EQ(parts.head_ns, 10'000);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(parts.nodes[i].gap_ns, 7000);
  EXPECT_EQ(parts.tail_ns, 2500);
}

TEST(QueueModel, ADeviceThatIsBehindSwitchesFromKernelToKernel) {
  const Trace trace = run_queue(plan_of(5, 50'000), host_of(5), kConstants);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(trace.device[i].begin_ns - trace.device[i - 1].end_ns, 900);
  EXPECT_EQ(trace.end_ns - trace.begin_ns, 10'000 + 5 * 50'000 + 4 * 900 + 2500);
}

TEST(QueueModel, AHostThatIsLateEndsTheInference) {
  QueuePlan plan = plan_of(3, 1000);
  plan.work.resize(1);  // the other operators launch nothing
  const Trace trace = run_queue(plan, host_of(3), kConstants);
  EXPECT_EQ(trace.end_ns - trace.begin_ns, 30'000 + 1500);
  EXPECT_EQ(run_queue(QueuePlan(), host_of(3), kConstants).end_ns, 1'000'000 + 30'000 + 1500);
}

TEST(QueueModel, AHostDelayIsAGapOfItsOperatorAndAKernelsDelayIsDeviceTime) {
  Trace late = host_of(20);
  for (std::size_t i = 10; i < late.nodes.size(); ++i) {
    if (i > 10) late.nodes[i].begin_ns += 50'000;
    late.nodes[i].end_ns += 50'000;
  }
  QueuePlan plan = plan_of(20, 3000);
  plan.work[10].place = {LaunchPlace::From::kShare, 58.0 / 60.0};  // it launches at its end, as without the delay
  const Decomposition before = decompose(run_queue(plan_of(20, 3000), host_of(20), kConstants), 20);
  const Decomposition host = decompose(run_queue(plan, late, kConstants), 20);
  QueuePlan longer = plan_of(20, 3000);
  longer.work[10].duration_ns += 5000;
  const Decomposition device = decompose(run_queue(longer, host_of(20), kConstants), 20);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(host.nodes[i].gap_ns - before.nodes[i].gap_ns, i == 10 ? 50'000 : 0, 1) << i;
    EXPECT_EQ(host.nodes[i].device_ns, 3000) << i;
    EXPECT_EQ(device.nodes[i].device_ns, i == 10 ? 8000 : 3000) << i;
  }
}

TEST(QueueModel, StreamsRunBesideOneAnotherUnlessOneWaitsForTheOther) {
  QueuePlan plan;
  plan.work = {work_of(0, 30'000, 0.5, 7), work_of(1, 5000, 0.5, 8), work_of(2, 5000, 0.5, 7)};
  Trace trace = run_queue(plan, host_of(3), kConstants);
  EXPECT_EQ(trace.device[1].begin_ns, 1'000'000 + 15'000 + 2000);
  EXPECT_EQ(trace.device[2].begin_ns, trace.device[0].end_ns + 900);
  plan.work[1].after = 0;
  trace = run_queue(plan, host_of(3), kConstants);
  EXPECT_EQ(trace.device[1].begin_ns, trace.device[0].end_ns + 900);
}

TEST(QueueModel, AWaitInAnOperatorReturnsWhenTheDeviceHasComeSoFar) {
  QueuePlan plan = plan_of(4, 1000);
  plan.work[0].duration_ns = 100'000;
  plan.waits = {{.span = 1, .launched = 2, .after_ns = 4000}};
  const Trace trace = run_queue(plan, host_of(4), kConstants);
  const std::int64_t done = trace.device[1].end_ns;
  EXPECT_EQ(done - 1'000'000, 10'000 + 100'000 + 900 + 1000);
  EXPECT_EQ(trace.nodes[1].end_ns, done + 4000);
  EXPECT_EQ(trace.nodes[2].begin_ns, done + 4000) << "what comes after is as much later";
  EXPECT_EQ(trace.device[2].begin_ns, trace.nodes[2].begin_ns + 8000 + 2000);
  // A host that comes later than the device by itself is where it was.
  plan.work[0].duration_ns = 1000;
  plan.work[1].place.at = 0.2;
  const Trace plain = run_queue(plan, host_of(4), kConstants);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(plain.nodes[i].end_ns, host_of(4).nodes[i].end_ns) << i;
}

TEST(QueueModel, WorkAfterAWaitCountsFromTheEndOfItsSpan) {
  QueuePlan plan;
  plan.work = {work_of(0, 40'000), work_of(0, 1000)};
  plan.work[0].place = {LaunchPlace::From::kBegin, 3000};
  plan.work[1].place = {LaunchPlace::From::kEnd, 2000};
  plan.waits = {{.span = 0, .launched = 1, .after_ns = 6000}};
  const Trace trace = run_queue(plan, host_of(1), kConstants);
  EXPECT_EQ(trace.device[0].begin_ns - trace.begin_ns, 5000);
  EXPECT_EQ(trace.nodes[0].end_ns - trace.begin_ns, 45'000 + 6000);
  EXPECT_EQ(trace.device[1].begin_ns, trace.nodes[0].end_ns - 2000 + 2000);
}

/// Another way to the same times: a clock that goes from event to event, work that asks at each whether it may begin.
std::vector<std::int64_t> begins_by_events(const QueuePlan& plan, const Trace& host) {
  const std::size_t count = plan.work.size();
  std::vector<std::int64_t> arrives(count);
  std::vector<std::int64_t> begins(count, -1);
  std::vector<std::int64_t> ends(count, -1);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeSpan& span = host.nodes[plan.work[i].record.span];
    const double length = static_cast<double>(span.end_ns - span.begin_ns);
    arrives[i] = span.begin_ns - host.begin_ns + static_cast<std::int64_t>(plan.work[i].place.at * length + 2000);
  }
  const auto ready_at = [&](std::size_t i) -> std::int64_t {
    std::int64_t ready = arrives[i];
    for (std::size_t k = 0; k < i; ++k) {
      const bool before = plan.work[k].record.stream == plan.work[i].record.stream || k == plan.work[i].after;
      if (!before) continue;
      if (ends[k] < 0) return -1;
      ready = std::max(ready, ends[k] + static_cast<std::int64_t>(plan.work[i].switch_ns));
    }
    return ready;
  };
  for (std::size_t begun = 0; begun < count; ++begun) {  // the earliest that can begin, begins
    std::size_t next = count;
    std::int64_t earliest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t ready = begins[i] < 0 ? ready_at(i) : -1;
      if (ready >= 0 && (next == count || ready < earliest)) {
        next = i;
        earliest = ready;
      }
    }
    begins[next] = earliest;
    ends[next] = earliest + static_cast<std::int64_t>(plan.work[next].duration_ns);
  }
  return begins;
}

TEST(QueueModel, RandomQueuesRunAsEventsSayAndPartsAddUp) {
  std::mt19937 random(3);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  for (int round = 0; round < 200; ++round) {
    const auto operators = static_cast<std::uint32_t>(draw(1, 25));
    Trace host;
    host.begin_ns = draw(0, 1'000'000);
    std::int64_t now = host.begin_ns;
    QueuePlan plan;
    for (std::uint32_t i = 0; i < operators; ++i) {
      now += draw(0, 2000);
      host.nodes.push_back({i, now, now + 1000 * draw(1, 40)});
      now = host.nodes.back().end_ns;
      double share = 0;
      for (int k = draw(0, 3); k > 0; --k) {
        share = std::min(1.0, share + 0.25 * draw(0, 2));
        plan.work.push_back(work_of(i, draw(100, 60'000), share, static_cast<std::uint32_t>(draw(7, 8))));
        plan.work.back().switch_ns = draw(0, 3000);
        if (plan.work.size() > 1 && draw(0, 4) == 0) {
          plan.work.back().after = static_cast<std::size_t>(draw(0, static_cast<int>(plan.work.size()) - 2));
        }
      }
    }
    const Trace trace = run_queue(plan, host, kConstants);
    const std::vector<std::int64_t> expected = begins_by_events(plan, host);
    ASSERT_EQ(trace.device.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(trace.device[i].begin_ns - trace.begin_ns), static_cast<double>(expected[i]), 2)
          << round << ' ' << i;
    }
    const Decomposition parts = decompose(trace, operators);
    EXPECT_DOUBLE_EQ(sum(parts), static_cast<double>(trace.end_ns - trace.begin_ns));
    EXPECT_NEAR(parts.remainder_ns(), 0, 1e-6);
    EXPECT_EQ(parts.clipped_ns, 0);
  }
}

}  // namespace
}  // namespace nongemm
