// Transfer and waiting of ranks, from records made by hand.
#include "analysis/rank_waits.h"

#include <gtest/gtest.h>

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

TEST(RankWaits, ALateStartIsNoOperatorsFault) {
  RankTraces traces{{{}, {}}, {{host(0, 2, 9)}, {host(3, 2, 9)}}};
  const RankWaits waits = rank_waits(traces, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 3e-3, 1e-12);
  EXPECT_EQ(waited_for(waits, 0, "aten.relu.default", /*idle=*/false), 0);
  EXPECT_NEAR(waited_for(waits, 0, "", /*idle=*/false), 3e-3, 1e-12);
}

TEST(RankWaits, OfADeviceTellIdleFromBusyAndHiddenFromExposed) {
  // Kernels: relu [0, 2], the collective [2, 9] with another one beside it from 3 to 5; or relu late, [4, 6], and [6,
  // 9].
  const auto kernel = [](NodeId node, std::int64_t begin, std::int64_t end) {
    DeviceRecord record;
    record.node = node;
    record.begin_ns = begin * kMs;
    record.end_ns = end * kMs;
    return record;
  };
  RankTrace early{0, 10 * kMs, {}, {kernel(kRelu, 0, 2), kernel(kReduce, 2, 9), kernel(kLast, 3, 5)}};
  RankTrace late{0, 10 * kMs, {}, {kernel(kRelu, 4, 6), kernel(kReduce, 6, 9)}};
  const RankWaits waits = rank_waits(RankTraces{{{}, {}}, {{early}, {late}}}, small_graph());
  EXPECT_NEAR(waits.collectives[0].waiting_s, 4e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].hidden_s, 2e-3, 1e-12);
  EXPECT_NEAR(waits.collectives[0].exposed_s(), 5e-3, 1e-12);
  EXPECT_NEAR(waited_for(waits, 0, "aten.relu.default", /*idle=*/true), 4e-3, 1e-12);
  EXPECT_EQ(waited_for(waits, 0, "aten.relu.default", /*idle=*/false), 0);
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
