#include "onnx/fold.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/half.h"
#include "lowering/fold_constants.h"

namespace nongemm::onnx {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

KnownValue floats(Shape shape, std::vector<double> numbers) {
  return {DType::kFloat32, std::move(shape), std::move(numbers)};
}
KnownValue integers(std::vector<double> numbers) {
  return {DType::kInt64, {static_cast<std::int64_t>(numbers.size())}, std::move(numbers)};
}

std::optional<KnownValue> folded(std::string_view type, const std::vector<KnownValue>& inputs,
                                 const std::vector<Attribute>& attributes = {}, std::int64_t most = 100) {
  std::vector<const KnownValue*> pointers;
  for (const KnownValue& input : inputs) pointers.push_back(&input);
  return fold({type, attributes, 17, most}, pointers);
}

TEST(Fold, RoundsAsTheDtypeDoes) {
  const std::optional<KnownValue> third = folded("Div", {floats({1}, {1}), floats({1}, {3})});
  EXPECT_EQ(third->numbers[0], static_cast<double>(1.0f / 3.0f));
  KnownValue half = floats({1}, {3});
  half.dtype = DType::kFloat16;
  const std::optional<KnownValue> reciprocal = folded("Reciprocal", {half});
  EXPECT_EQ(reciprocal->numbers[0], half_to_float(float_to_half(1.0f / 3.0f)));
  EXPECT_EQ(tensor_of(*reciprocal).as<std::uint16_t>()[0], float_to_half(1.0f / 3.0f));
  EXPECT_THAT(folded("Div", {integers({7}), integers({2})})->numbers, ElementsAre(3));
}

TEST(Fold, DividingByZeroIsInfiniteOrNotFolded) {
  EXPECT_TRUE(std::isinf(folded("Div", {floats({1}, {1}), floats({1}, {0})})->numbers[0]));
  EXPECT_FALSE(folded("Div", {integers({7}), integers({0})}));
  EXPECT_FALSE(folded("Mod", {integers({7}), integers({0})}));
}

TEST(Fold, MovesElements) {
  const KnownValue x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(folded("Transpose", {x})->numbers, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(folded("Tile", {x, integers({1, 2})})->numbers, ElementsAre(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6));
  EXPECT_THAT(folded("Slice", {x, integers({-1}), integers({-9}), integers({1}), integers({-2})})->numbers,
              ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(folded("Slice", {x, integers({0}), integers({9e15}), integers({1}), integers({9e15})})->numbers,
              ElementsAre(1, 4));
  EXPECT_EQ(folded("Reshape", {x, integers({0, 1, -1})})->shape, (Shape{2, 1, 3}));
  EXPECT_EQ(folded("Gather", {x, integers({2, 0})}, {{"axis", std::int64_t{1}}})->shape, (Shape{2, 2}));
}

TEST(Fold, LeavesWhatIsTooLarge) {
  EXPECT_FALSE(folded("Expand", {floats({1}, {1}), integers({1000, 1000})}));
  EXPECT_FALSE(folded("Tile", {floats({2}, {1, 2}), integers({9e15})}));
  EXPECT_FALSE(folded("ConstantOfShape", {integers({9e15, 9e15})}));
  EXPECT_FALSE(folded("Range", {integers({0}), integers({9e15}), integers({1})}));
  EXPECT_FALSE(folded("Reshape", {floats({2}, {1, 2}), integers({9e15, 9e15})}));
}

NodeDef node(const std::string& type, std::vector<std::string> inputs, const std::string& output) {
  return {type, type + "/" + output, std::move(inputs), {output}, {}};
}
HostTensor tensor(const std::vector<float>& values) {
  return HostTensor::from<float>(DType::kFloat32, {static_cast<std::int64_t>(values.size())}, values);
}
Initializer constant(const std::string& name, const std::vector<float>& values) {
  HostTensor data = tensor(values);
  return {.name = name, .dtype = data.dtype, .shape = data.shape, .data = data};
}

/// y = x * (weight / sqrt(variance + eps)), the factors of a frozen batch normalization.
ModelDef frozen_normalization() {
  ModelDef model;
  GraphDef& graph = model.graph;
  graph.inputs.push_back({"x", DType::kFloat32, {2}});
  graph.outputs.push_back({"y", DType::kFloat32, {2}});
  graph.initializers.push_back({.name = "weight", .dtype = DType::kFloat32, .shape = {2}, .weight = 0});
  graph.initializers.push_back({.name = "variance", .dtype = DType::kFloat32, .shape = {2}, .weight = 1});
  graph.initializers.push_back(constant("eps", {0.25f}));
  graph.nodes = {node("Add", {"variance", "eps"}, "a"), node("Sqrt", {"a"}, "b"), node("Reciprocal", {"b"}, "c"),
                 node("Mul", {"weight", "c"}, "d"), node("Mul", {"x", "d"}, "y")};
  return model;
}

HostTensor give(std::size_t weight) { return weight == 0 ? tensor({3, 5}) : tensor({3.75f, 0.75f}); }

TEST(FoldConstants, LeavesTheResultAlone) {
  ModelDef model = frozen_normalization();
  EXPECT_EQ(fold_constants(model, give), 4U);
  ASSERT_THAT(model.graph.nodes, SizeIs(1));
  EXPECT_THAT(model.graph.nodes[0].inputs, ElementsAre("x", "d"));
  ASSERT_THAT(model.graph.initializers, SizeIs(1));  // weight, variance and eps have no user any more
  EXPECT_EQ(model.graph.initializers[0].name, "d");
  EXPECT_EQ(model.graph.initializers[0].data.as<float>()[0], 1.5f);
  EXPECT_EQ(model.graph.initializers[0].data.as<float>()[1], 5.0f);
}

TEST(FoldConstants, KeepsOutputsAndWhatIsTooLarge) {
  ModelDef model = frozen_normalization();
  model.graph.outputs.push_back({"b", DType::kFloat32, {2}});
  EXPECT_EQ(fold_constants(model, give), 1U);  // b is an output, c and d depend on it
  ModelDef large = frozen_normalization();
  EXPECT_EQ(fold_constants(large, give, 1), 0U);
  EXPECT_THAT(large.graph.initializers, SizeIs(3));
}

TEST(FoldConstants, ConstantsOfBodiesStayVisibleThere) {
  ModelDef model = frozen_normalization();
  auto body = std::make_shared<GraphDef>();
  body->nodes = {node("Mul", {"c", "c"}, "square")};
  body->outputs.push_back({"square", DType::kFloat32, {2}});
  model.graph.inputs.push_back({"flag", DType::kBool, {}});
  model.graph.nodes.push_back({"If", "if", {"flag"}, {"z"}, {{"then_branch", body}, {"else_branch", body}}});
  model.graph.outputs.push_back({"z", DType::kFloat32, {2}});
  fold_constants(model, give);
  std::vector<std::string> names;
  for (const Initializer& initializer : model.graph.initializers) names.push_back(initializer.name);
  EXPECT_THAT(names, ElementsAre("c", "d"));
}

}  // namespace
}  // namespace nongemm::onnx
