// Transfer and waiting of ranks, from records made by hand.
#include "analysis/rank_waits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/roofline.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

/// relu, all_reduce, wait, relu.
Graph small_graph() {
  Builder b("ranks", DType::kFloat32);
  Tensor x = b.call("aten.relu.default", {b.input("x", DType::kFloat32, {4, 8}, {})});
  x = b.call("_c10d_functional.wait_tensor.default",
             {b.call("_c10d_functional.all_reduce.default", {x, "sum", "ranks"})});
  b.output("y", b.call("aten.relu.default", {x}));
  return b.finish();
}
constexpr NodeId kRelu = 0;
constexpr NodeId kReduce = 1;
constexpr NodeId kWait = 2;
constexpr NodeId kLast = 3;

constexpr std::int64_t kMs = 1'000'000;

/// Of a host whose relu takes so long, and which has the sum at `done`; all in ms of its own clock.
RankTrace host(std::int64_t begin, std::int64_t relu, std::int64_t done) {
  const std::int64_t called = begin + relu;
  return {begin * kMs,
          (done + 1) * kMs,
          {{kRelu, begin * kMs, called * kMs},
           {kReduce, called * kMs, called * kMs},
           {kWait, called * kMs, done * kMs},
           {kLast, done * kMs, (done + 1) * kMs}},
          {}};
}

double waited_for(const RankWaits& waits, std::size_t rank, const std::string& op, bool idle) {
  double sum = 0;
  for (const RankWait& wait : waits.waits) {
    if (wait.rank == rank && wait.op == op && wait.idle == idle) sum += wait.time_s;
  }
  return sum;
}

TEST(RankWaits, BeginWhenTheLastRankHasCome) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(0, 5, 9)}}};
  const RankWaits waits = rank_waits(traces, small_graph());
  ASSERT_EQ(waits.collectives.size(), 2U);
  EXPECT_NEAR(waits.collectives[0].time_s, 7e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].waiting_s, 3e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].transfer_s, 4e-3, 1e-12);
  EXPECT_EQ(waits.collectives[1].waiting_s, 0);
  EXPECT_NEAR(waits.collectives[1].transfer_s, 4e-3, 1e-12);
  EXPECT_EQ(waits.collectives[0].bytes, 4 * 8 * 4);
  EXPECT_NEAR(waited_for(waits, 0, "aten.relu.default", /*idle=*/false), 3e-3, 1e-12);
}

TEST(RankWaits, AreOnOneClock) {
  // The second rank's clock is 100 ms ahead.
  RankTraces traces{{{}, {100 * kMs, 0}}, {{host(0, 2, 9)}, {host(100, 5, 109)}}};
  const RankWaits waits = rank_waits(traces, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 3e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[1].transfer_s, 4e-3, 1e-12);
}

TEST(RankWaits, AreOfAllInferencesWhereEachWasSlowOnOneRank) {
  const RankTraces traces{{{}, {}}, {{host(0, 2, 9), host(20, 2, 40)}, {host(0, 5, 19), host(20, 5, 29)}}};
  EXPECT_EQ(rank_waits(traces, small_graph()).inferences, 2);
}

TEST(RankWaits, ALateStartIsNoOperatorsFault) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(3, 2, 9)}}};
  const RankWaits waits = rank_waits(traces, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 3e-3, 1e-12);
  EXPECT_EQ(waited_for(waits, 0, "aten.relu.default", /*idle=*/false), 0);
  EXPECT_NEAR(waited_for(waits, 0, "", /*idle=*/false), 3e-3, 1e-12);
}

DeviceRecord kernel(NodeId node, std::int64_t begin, std::int64_t end) {
  DeviceRecord record;
  record.node = node;
  record.begin_ns = begin * kMs;
  record.end_ns = end * kMs;
  return record;
}

TEST(RankWaits, OfADeviceTellIdleFromBusyAndHiddenFromExposed) {
  // Kernels: relu [0, 2], the collective [2, 9] with another one beside it from 3 to 5; or relu late, [4, 6], and [6,
  // 9].
  RankTrace early{0, 10 * kMs, {}, {kernel(kRelu, 0, 2), kernel(kReduce, 2, 9), kernel(kLast, 3, 5)}};
  RankTrace late{0, 10 * kMs, {}, {kernel(kRelu, 4, 6), kernel(kReduce, 6, 9)}};
  const RankWaits waits = rank_waits(RankTraces{{{}, {}}, {{early}, {late}}}, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 4e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].hidden_s, 2e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].exposed_s(), 5e-3, 1e-12);
  EXPECT_NEAR(waits.busy_s.at(0), 9e-3, 1e-12) << "what runs beside something else counts once";
  EXPECT_NEAR(waits.busy_s.at(1), 5e-3, 1e-12);
  EXPECT_NEAR(waited_for(waits, 0, "aten.relu.default", /*idle=*/true), 4e-3, 1e-12);
  EXPECT_EQ(waited_for(waits, 0, "aten.relu.default", /*idle=*/false), 0);
}

TEST(RankWaits, OfDevicesTakeTheirClocksFromTheEndsOfCollectives) {
  // As above, by a clock that is 50 ms ahead, whatever the hosts' clocks say.
  RankTrace early{0, 10 * kMs, {}, {kernel(kRelu, 0, 2), kernel(kReduce, 2, 9)}};
  RankTrace late{50 * kMs, 60 * kMs, {}, {kernel(kRelu, 54, 56), kernel(kReduce, 56, 59)}};
  const RankWaits waits = rank_waits(RankTraces{{{}, {7 * kMs, 0}}, {{early}, {late}}}, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 4e-3, 1e-12);
  EXPECT_EQ(waits.collectives[1].waiting_s, 0);
  EXPECT_NEAR(waits.device_clock_s.at(1), 50e-3, 1e-12);
  EXPECT_NEAR(waited_for(waits, 0, "aten.relu.default", /*idle=*/true), 4e-3, 1e-12);
}

TEST(RankWaits, ChargeWhatADeviceWasIdleForToWhereItsHostWas) {
  // The late host spends 4 ms in relu after its kernel was launched: the device waits for the collective's.
  const std::vector<NodeSpan> quick = {{kRelu, 0, kMs}, {kReduce, kMs, 2 * kMs}, {kWait, 2 * kMs, 2 * kMs}};
  const std::vector<NodeSpan> slow = {{kRelu, 0, 5 * kMs}, {kReduce, 5 * kMs, 6 * kMs}, {kWait, 6 * kMs, 6 * kMs}};
  RankTrace early{0, 10 * kMs, quick, {kernel(kRelu, 1, 2), kernel(kReduce, 2, 9)}};
  RankTrace late{0, 10 * kMs, slow, {kernel(kRelu, 1, 2), kernel(kReduce, 6, 9)}};
  const RankWaits waits = rank_waits(RankTraces{{{}, {}}, {{early}, {late}}}, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 4e-3, 1e-12);
  EXPECT_NEAR(waited_for(waits, 0, "aten.relu.default", /*idle=*/true), 3e-3, 1e-12);
  EXPECT_NEAR(waited_for(waits, 0, "_c10d_functional.all_reduce.default", /*idle=*/true), 1e-3, 1e-12);
}

CollectiveLimits all_reduce_in(double seconds) {
  return {
      .ranks = 2, .devices = "two", .measured_at = "now", .curves = {{"all_reduce", {{1.0, seconds}, {1e9, seconds}}}}};
}

TEST(RankWaits, TransferStandsBesideTheLimitOfItsSize) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(0, 5, 9)}}};
  const CollectiveLimits limits = all_reduce_in(1e-3);
  EXPECT_NEAR(rank_waits(traces, small_graph(), &limits).collectives[0].limit_s, 1e-3, 1e-12);
  EXPECT_TRUE(std::isnan(rank_waits(traces, small_graph()).collectives[0].limit_s));
}

TEST(RankWaits, TransfersQuickerThanTheLimitsRaiseDoubtsOfThose) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(0, 5, 9)}}};  // transfers of 4 ms
  const auto exceed = [&](double limit_s) {
    const CollectiveLimits limits = all_reduce_in(limit_s);
    return transfers_exceed(rank_waits(traces, small_graph(), &limits));
  };
  EXPECT_FALSE(exceed(1e-3));
  EXPECT_FALSE(exceed(4.2e-3)) << "within what two measurements differ by";
  EXPECT_TRUE(exceed(5e-3));
  EXPECT_FALSE(transfers_exceed(rank_waits(traces, small_graph())));
}

/// The host's record of small_graph(), whose nodes take 1 ms each.
Record record_of_ranks() {
  Record record = record_of(small_graph());
  DeviceLimits& limits = record.devices.emplace_back().limits.emplace();
  limits.copy_bandwidth = 1e12;
  NodePass pass;
  pass.averaged = 1;
  pass.mean_wall_s = 4e-3;
  pass.nodes.assign(4, NodeTime{});
  for (NodeTime& node : pass.nodes) {
    node.host_s = 1e-3;
    node.calls = 1;
  }
  Phase& phase = record.phases.emplace_back();
  phase.devices.emplace_back().nodes = pass;
  return record;
}

TEST(LimitsOfCollectives, StandWhereAHostSpendsTheTime) {
  Record record = record_of_ranks();
  record.collectives = all_reduce_in(4e-4);
  const Analysis analysis = analyse(record, {});
  EXPECT_EQ(analysis.nodes[kReduce].limit_s, 0);
  EXPECT_NEAR(analysis.nodes[kWait].limit_s, 4e-4, 1e-12);
  EXPECT_NEAR(analysis.nodes[kReduce].wasted_s() + analysis.nodes[kWait].wasted_s(), 2e-3 - 4e-4, 1e-12);
  record.devices[0].is_host = false;  // there it is the collective's own kernel
  const Analysis on_device = analyse(record, {});
  EXPECT_NEAR(on_device.nodes[kReduce].limit_s, 4e-4, 1e-12);
  EXPECT_EQ(on_device.nodes[kWait].limit_s, 0);
}

double then(const Roofline& roofline, const std::string& what) {
  for (const WhatIf& row : roofline.what_if) {
    if (row.what == what) return row.latency_s;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

TEST(WhatIfOfRanks, TellsTransferWaitingAndWhatIsExposed) {
  // Of 10 ms, waiting is 3 and 0, transfer 4 and 4.
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(0, 5, 9)}}};
  const CollectiveLimits limits = all_reduce_in(1e-3);
  const RankWaits waits = rank_waits(traces, small_graph(), &limits);
  Record record = record_of_ranks();
  record.collectives = limits;
  const Roofline roofline = make_roofline(analyse(record, {}), 1.0, &waits);
  EXPECT_NEAR(then(roofline, "collectives at their limit"), 1.0 - 3e-3 / 10e-3, 1e-12);
  EXPECT_NEAR(then(roofline, "ranks in step"), 1.0 - 1.5e-3 / 10e-3, 1e-12);
  EXPECT_NEAR(then(roofline, "collectives hidden"), 1.0 - 5.5e-3 / 10e-3, 1e-12);
  EXPECT_TRUE(std::isnan(then(roofline, "Communication at its limit")));
}

TEST(WhatIfOfRanks, SaysNothingOfALimitThatIsNotKnown) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(0, 5, 9)}}};
  const RankWaits waits = rank_waits(traces, small_graph());
  const Roofline roofline = make_roofline(analyse(record_of_ranks(), {}), 1.0, &waits);
  EXPECT_TRUE(std::isnan(then(roofline, "collectives at their limit")));
  EXPECT_NEAR(then(roofline, "collectives hidden"), 1.0 - 5.5e-3 / 10e-3, 1e-12);
}

TEST(RankWaits, OfDifferentCollectivesAreNotCompared) {
  RankTrace without = host(0, 2, 9);
  without.spans.erase(without.spans.begin() + 1, without.spans.begin() + 3);
  const RankWaits waits = rank_waits(RankTraces{{{}, {}}, {{host(0, 2, 9)}, {without}}}, small_graph());
  EXPECT_EQ(waits.unmatched, 1);
  EXPECT_EQ(waits.inferences, 0);
  EXPECT_TRUE(waits.collectives.empty());
}

}  // namespace
}  // namespace nongemm
