#include "prepare/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "ops/check_graph.h"
#include "ops/stream.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

constexpr std::int64_t kTokens = 30;

Graph mixtral(Routing routing) {
  return build_graph(find_model("mixtral-8x7b"), {.sequence = kTokens, .routing = routing});
}

/// How often each expert is chosen by the first router.
std::map<std::int64_t, int> chosen(const Graph& graph) {
  std::map<std::int64_t, int> counts;
  for (const Constant& constant : graph.constants) {
    if (constant.tensor.shape != Shape{kTokens, 2}) continue;
    const auto* numbers = constant.tensor.as<std::int64_t>();
    for (std::int64_t token = 0; token < kTokens; ++token) {
      EXPECT_NE(numbers[2 * token], numbers[2 * token + 1]);
      ++counts[numbers[2 * token]];
      ++counts[numbers[2 * token + 1]];
    }
    break;
  }
  return counts;
}

std::size_t operators(const Graph& graph) { return operator_stream(graph, IdleCasts::kListed).size(); }

TEST(Routing, BalancedGivesAllExpertsTheSame) {
  const Graph graph = mixtral(Routing::kBalanced);
  const std::map<std::int64_t, int> counts = chosen(graph);
  ASSERT_EQ(counts.size(), 8U);
  for (const auto& [expert, count] : counts) EXPECT_THAT(count, testing::AnyOf(7, 8)) << expert;
  EXPECT_EQ(graph.attributes.at("routing"), "balanced: the experts take turns");
  EXPECT_EQ(problems_of(graph), std::vector<std::string>());
}

TEST(Routing, SkewedGivesTheFirstExpertsMost) {
  const Graph graph = mixtral(Routing::kSkewed);
  std::map<std::int64_t, int> counts = chosen(graph);
  EXPECT_GT(counts[0] + counts[1], 24) << "of 60, of which balanced gives 15";
  EXPECT_LT(counts[6] + counts[7], 15);
  EXPECT_THAT(graph.attributes.at("routing"), testing::HasSubstr("skewed"));
}

TEST(Routing, LeavesTheOperatorsAsTheyAre) {
  EXPECT_EQ(operators(mixtral(Routing::kBalanced)), operators(mixtral(Routing::kModel)));
  EXPECT_THAT(mixtral(Routing::kModel).attributes.at("routing"), testing::HasSubstr("arbitrary"));
}

TEST(Routing, IsRefusedWhereThereAreNoExperts) {
  try {
    build_graph(find_model("gpt2"), {.sequence = 8, .routing = Routing::kSkewed});
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("gpt2: no mixture of experts"));
  }
  EXPECT_EQ(build_graph(find_model("gpt2"), {.sequence = 8}).attributes.count("routing"), 0U);
}

}  // namespace
}  // namespace nongemm
