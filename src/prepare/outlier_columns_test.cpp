#include "prepare/outlier_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/test_models.h"
#include "ops/stream.h"
#include "prepare/model.h"
#include "prepare/prepare.h"

namespace nongemm {
namespace {

constexpr std::int64_t kColumns = 6;

Graph graph_of(const char* name, std::int64_t columns) {
  return build_graph(find_model(name), {.sequence = 8, .outlier_columns = columns});
}

std::vector<std::string> names_standing_out(const Graph& graph) {
  std::vector<std::string> names;
  for (const Weight& weight : graph.weights) {
    if (weight.init.peaks > 0) names.push_back(weight.name);
  }
  return names;
}

TEST(OutlierColumns, StandInScalesOfNormalizationsAlone) {
  const Graph graph = graph_of("llama3.2-1b", kColumns);
  const std::vector<std::string> names = names_standing_out(graph);
  EXPECT_EQ(names.size(), 33U) << "two in each of 16 layers, and the last one";
  EXPECT_THAT(names, testing::Each(testing::HasSubstr("norm.weight")));
  EXPECT_EQ(graph.attributes.at("outlier columns"), "6 channels of 33 normalizations stand out");
  EXPECT_EQ(operator_stream(graph, IdleCasts::kListed).size(),
            operator_stream(graph_of("llama3.2-1b", 0), IdleCasts::kListed).size());
  EXPECT_THAT(names_standing_out(graph_of("gpt2", kColumns)), testing::SizeIs(25));
  EXPECT_THAT(names_standing_out(graph_of("gpt2", 0)), testing::IsEmpty());
  EXPECT_FALSE(has_outlier_columns(graph_of("gpt2", 0)));
}

TEST(OutlierColumns, AreRefusedWhereTheyHaveNoEffect) {
  EXPECT_THAT(refusal([] { graph_of("gpt2", 1000); }), testing::HasSubstr("--outlier-columns 1000 of at most 768"));
  EXPECT_THAT(refusal([] { build_graph(find_model("resnet50"), {.outlier_columns = kColumns}); }),
              testing::HasSubstr("no normalization"));
  EXPECT_THAT(refusal([] { prepare_weights(find_model("gpt2"), graph_of("gpt2", kColumns), "trained", 0); }),
              testing::HasSubstr("the weights are those of trained"));
}

}  // namespace
}  // namespace nongemm
