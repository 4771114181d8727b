// What an einsum's equation says of sizes and work; what really runs holds the same against PyTorch (import_test).
#include <gmock/gmock.h>

#include "base/error.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

struct Einsum {
  Shape shape;
  double flops = 0;
};

Einsum einsum(const char* equation, const std::vector<Shape>& shapes) {
  Builder b("einsum", DType::kFloat32);
  std::vector<Tensor> operands;
  for (const Shape& shape : shapes) {
    operands.push_back(b.input("x" + std::to_string(operands.size()), DType::kFloat32, shape, {}));
  }
  b.output("out", b.call("aten.einsum.default", {equation, operands}));
  const Graph graph = b.finish();
  const Node& node = graph.nodes.at(0);
  return {graph.values[graph.outputs[0].value].type.shape, cost_of(graph, node, *OpTable::get().find(node.op)).flops};
}

TEST(Einsum, NamesEveryDimension) {
  EXPECT_EQ(einsum("bqc,bchw->bqhw", {{2, 3, 4}, {2, 4, 5, 6}}).shape, (Shape{2, 3, 5, 6}));
  EXPECT_EQ(einsum("bqc,bchw->bqhw", {{2, 3, 4}, {2, 4, 5, 6}}).flops, 2.0 * 2 * 3 * 5 * 6 * 4);
  EXPECT_EQ(einsum(" b i j , j k -> b i k ", {{2, 3, 4}, {4, 5}}).shape, (Shape{2, 3, 5}));
  EXPECT_EQ(einsum("bij->b", {{2, 3, 4}}).flops, 2.0 * 12);                   // additions alone
  EXPECT_EQ(einsum("bi,bj->bij", {{1, 3}, {2, 4}}).shape, (Shape{2, 3, 4}));  // a size of 1 is stretched
}

TEST(Einsum, AnEllipsisStandsForAnyDimensions) {
  EXPECT_EQ(einsum("...ij->...ji", {{2, 3, 4}}).shape, (Shape{2, 4, 3}));
  EXPECT_EQ(einsum("...ij->...ji", {{3, 4}}).shape, (Shape{4, 3}));
  EXPECT_EQ(einsum("...d,de->...e", {{6, 2, 3, 4}, {4, 5}}).shape, (Shape{6, 2, 3, 5}));
  EXPECT_EQ(einsum("b...i,b...j->b...ij", {{2, 3, 4}, {2, 3, 5}}).shape, (Shape{2, 3, 4, 5}));
  EXPECT_EQ(einsum("...,...->...", {{7, 2, 3}, {3}}).shape, (Shape{7, 2, 3}));
}

TEST(Einsum, TakesOneTensorTwice) {
  Builder b("gram", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {2, 3, 4}, {});
  b.output("out", b.call("aten.einsum.default", {"bij,bkj->bik", std::vector<Tensor>{x, x}}));
  EXPECT_EQ(b.finish().values.back().type.shape, (Shape{2, 3, 3}));
}

TEST(Einsum, WithoutAnOutputPartItFollowsFromTheLetters) {
  EXPECT_EQ(einsum("ij,jk", {{3, 4}, {4, 5}}).shape, (Shape{3, 5}));
  EXPECT_EQ(einsum("ba", {{2, 3}}).shape, (Shape{3, 2}));
  EXPECT_EQ(einsum("ii", {{4, 4}}).shape, Shape());
  EXPECT_EQ(einsum("...ij,jk", {{2, 3, 4}, {4, 5}}).shape, (Shape{2, 3, 5}));
}

TEST(Einsum, IsContractedTwoOperandsAtATime) {
  // As one space of products it would be 2 * 2 * 3 * 4 * 5.
  EXPECT_EQ(einsum("ab,bc,cd->ad", {{2, 3}, {3, 4}, {4, 5}}).flops, 2.0 * 2 * 3 * 4 + 2.0 * 2 * 4 * 5);
  EXPECT_EQ(einsum("i,j->ij", {{3}, {4}}).flops, 12.0);
  EXPECT_EQ(einsum("ij->ji", {{3, 4}}).flops, 0.0);
  EXPECT_EQ(einsum("ii->i", {{4, 4}}).flops, 0.0);
}

TEST(Einsum, ALetterHasOneSize) {
  EXPECT_THROW(einsum("ij,jk->ik", {{2, 3}, {4, 5}}), Error);
  EXPECT_THROW(einsum("ii->i", {{1, 4}}), Error);
  EXPECT_EQ(einsum("ij,jk->ik", {{2, 1}, {4, 5}}).shape, (Shape{2, 5}));
}

TEST(Einsum, RefusesWhatDoesNotFit) {
  for (const char* equation : {"ij,jk->ik", "ijk->ij", "ij->iz", "i1->i", "ij...k->ij", ",->", ""}) {
    EXPECT_THROW(einsum(equation, {{2, 3}}), Error) << equation;
  }
}

}  // namespace
}  // namespace nongemm
