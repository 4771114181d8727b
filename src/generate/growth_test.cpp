#include "generate/growth.h"

#include <gtest/gtest.h>

#include "graph/state.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

/// Sums over as many numbers as there are steps, and a size that stays.
Graph build(std::int64_t step) {
  Builder b("growing", DType::kFloat32);
  const Tensor numbers = b.call("aten.arange.default", {10 + step});
  const Tensor rows = b.call("aten.expand.default", {numbers, Shape{2, 10 + step}});
  b.output("sum", b.call("aten.add.Tensor", {rows, 3 * step}));
  return b.finish();
}

/// One operator more from step 5 on.
Graph build_with_break(std::int64_t step) {
  Builder b("breaking", DType::kFloat32);
  Tensor numbers = b.call("aten.arange.default", {10 + step});
  if (step >= 5) numbers = b.call("aten.neg.default", {numbers});
  b.output("numbers", numbers);
  return b.finish();
}

TEST(Growth, IsFoundInNumbersAndLists) {
  const auto growth = growth_between(build(1), build(4), 3);
  ASSERT_TRUE(growth);
  ASSERT_EQ(growth->size(), 3U);
  EXPECT_EQ((*growth)[0], (Growth{.node = 0, .position = 0, .value = 11, .slope = 1}));
  EXPECT_EQ((*growth)[1], (Growth{.node = 1, .position = 1, .element = 1, .value = 11, .slope = 1}));
  EXPECT_EQ((*growth)[2], (Growth{.node = 2, .position = 1, .value = 3, .slope = 3}));
}

TEST(Growth, ChangesAreTheLaterGraphsArguments) {
  const Graph first = build(1);
  const Graph later = build(8);
  for (const ArgumentChange& change : changes_at(first, *growth_between(first, build(2), 1), 7)) {
    EXPECT_EQ(change.value, later.nodes[change.node].args[change.position]);
  }
}

TEST(Growth, IsNoneWhereSomethingElseDiffers) {
  EXPECT_FALSE(growth_between(build_with_break(4), build_with_break(5), 1));
  Builder other("growing", DType::kFloat32);
  other.output("sum", other.call("aten.arange.default", {11}));
  EXPECT_FALSE(growth_between(build(1), other.finish(), 1));
}

TEST(Growth, OneGraphStandsForAllSteps) {
  int built = 0;
  const GrowingGraph growing = growing_graph(
      [&](std::int64_t step) {
        ++built;
        return build(step);
      },
      1, 1000);
  EXPECT_EQ(growing.last, 1000);
  EXPECT_EQ(built, 3);
}

TEST(Growth, ARunOfStepsEndsWhereTheGraphChanges) {
  for (std::int64_t last = 1; last < 12; ++last) {
    const GrowingGraph growing = growing_graph(build_with_break, 1, last);
    EXPECT_EQ(growing.last, std::min<std::int64_t>(last, 4)) << last;
    if (last < 5) continue;
    EXPECT_EQ(growing_graph(build_with_break, 5, last).last, last);
  }
  EXPECT_EQ(growing_graph(build_with_break, 4, 10).last, 4);
}

TEST(States, ArePastAndPresentByName) {
  Builder b("states", DType::kFloat32);
  const Tensor cache = b.input("past.0.key", DType::kFloat32, {2, 4}, {});
  const Tensor token = b.input("past.token", DType::kInt64, {1}, {});
  b.output("logits", cache);
  b.output("present.token", b.call("aten.add.Tensor", {token, 1}));
  b.output("present.mask", token);
  const std::vector<State> states = states_of(b.graph());
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].name, "0.key");
  EXPECT_EQ(states[0].output, kNoId);
  EXPECT_EQ(states[1].output, 1U);
  EXPECT_EQ(states[2].input, kNoId);
}

}  // namespace
}  // namespace nongemm
