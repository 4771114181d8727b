#include "programs/ort/result_types.h"

#include <gtest/gtest.h>

#include "ops/builder.h"

namespace nongemm::ort_flow {
namespace {

/// The rows of x where some element is not 0, made positive: how many there are only a run knows.
class ResultTypesTest : public testing::Test {
 protected:
  ResultTypesTest() {
    Builder b("test", DType::kFloat32);
    const Tensor x = b.input("x", DType::kFloat32, {4, 3}, {});
    const Tensor places = b.call("aten.nonzero.default", {x});
    b.output("y", b.call("aten.abs.default", {places}));
    graph_ = b.finish();
    names_ = names_of_unknown(graph_, {{"y", graph_.outputs[0].value}});
  }

  static ProfiledNode called(const std::string& step, std::vector<Shape> results) {
    ProfiledNode node;
    node.name = step;
    node.outputs = std::move(results);
    return node;
  }

  Graph graph_;
  std::unordered_map<ValueId, std::string> names_;
  Dataflow steps_{{{"NonZero_1", "NonZero", {"x"}, {"n0/t1"}},
                   {"Transpose_1", "Transpose", {"n0/t1"}, {"n0/v1"}},
                   {"Abs_1", "Abs", {"n0/v1"}, {"y"}}},
                  {}};
};

TEST_F(ResultTypesTest, AreThoseOfTheLastCall) {
  ASSERT_EQ(names_.size(), 2);
  EXPECT_EQ(names_.at(graph_.nodes[0].outputs[0]), "n0/v1");
  const ResultTypes types(graph_, names_, steps_);
  const auto rows = types.observed(
      {0, 0, {called("Transpose_1", {{9, 2}}), called("Abs_1", {{9, 2}}), called("Transpose_1", {{5, 2}})}});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0].node, 0);
  EXPECT_EQ(rows[0].results[0].shape, (Shape{5, 2}));
  EXPECT_EQ(rows[0].results[0].dtype, DType::kInt64);
  EXPECT_EQ(rows[1].results[0].shape, (Shape{9, 2}));
}

TEST_F(ResultTypesTest, StayUnknownWhereTheProfileDoesNotTell) {
  steps_.nodes.push_back(steps_.nodes[1]);  // two steps of one name
  const ResultTypes types(graph_, names_, steps_);
  EXPECT_TRUE(
      types.observed({0, 0, {called("Transpose_1", {{9, 2}}), called("Abs_1", {}), called("other", {{1}})}}).empty());
  EXPECT_TRUE(types.observed({0, 0, {called("Abs_1", {{9}})}}).empty());  // another rank: not this value
}

}  // namespace
}  // namespace nongemm::ort_flow
