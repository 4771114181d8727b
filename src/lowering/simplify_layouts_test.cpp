#include "lowering/simplify_layouts.h"

#include <gmock/gmock.h>

#include <map>

namespace nongemm::onnx {
namespace {

using testing::ElementsAre;

/// x [2, 6, 4] in, y out; the nodes between are added one by one.
class Chain {
 public:
  Chain() {
    model_.graph.inputs.push_back({"x", DType::kFloat32, {2, 6, 4}});
    model_.graph.nodes.push_back({"LayerNormalization", "norm", {"x"}, {"a"}, {}});
  }

  Chain& transpose(std::vector<std::int64_t> order) { return add("Transpose", {}, {{"perm", std::move(order)}}); }
  Chain& reshape(const Shape& shape) {
    const std::string name = "shape" + std::to_string(++count_);
    model_.graph.initializers.push_back(
        {.name = name,
         .dtype = DType::kInt64,
         .shape = {static_cast<std::int64_t>(shape.size())},
         .data = HostTensor::from<std::int64_t>(DType::kInt64, {static_cast<std::int64_t>(shape.size())}, shape)});
    return add("Reshape", name, {});
  }
  Chain& add(const std::string& type, const std::string& second, std::vector<Attribute> attributes) {
    NodeDef node{type, type, {last_}, {last_ + "'"}, std::move(attributes)};
    if (!second.empty()) node.inputs.push_back(second);
    last_ += "'";
    model_.graph.nodes.push_back(std::move(node));
    return *this;
  }

  /// "MatMul a" for each node behind the first.
  std::vector<std::string> simplified() {
    model_.graph.nodes.push_back({"MatMul", "product", {last_, "w"}, {"y"}, {}});
    model_.graph.outputs.push_back({"y", DType::kFloat32, {}});
    simplify_layouts(model_, [](const std::string& name) {
      return name == "a" ? std::optional(Shape{2, 6, 4}) : std::nullopt;
    });
    std::vector<std::string> nodes;
    for (std::size_t i = 1; i < model_.graph.nodes.size(); ++i) {
      nodes.push_back(model_.graph.nodes[i].type + " " + model_.graph.nodes[i].inputs[0]);
    }
    return nodes;
  }

  ModelDef& model() { return model_; }

 private:
  ModelDef model_;
  std::string last_ = "a";
  int count_ = 0;
};

TEST(SimplifyLayouts, ToAnImageAndBack) {
  EXPECT_THAT(
      Chain().reshape({2, 2, 3, 4}).transpose({0, 3, 1, 2}).reshape({2, 4, -1}).transpose({0, 2, 1}).simplified(),
      ElementsAre("MatMul a"));
}

TEST(SimplifyLayouts, ToAnotherShapeOfTheSameOrder) {
  Chain chain;
  chain.transpose({0, 2, 1}).reshape({2, 4, 2, 3}).transpose({0, 2, 3, 1});
  EXPECT_THAT(chain.simplified(), ElementsAre("Reshape a", "MatMul a'''"));
  const Initializer& shape = chain.model().graph.initializers.back();
  EXPECT_THAT(std::vector<std::int64_t>(shape.data.as<std::int64_t>(), shape.data.as<std::int64_t>() + 4),
              ElementsAre(2, 2, 3, 4));
}

TEST(SimplifyLayouts, LeavesWhatChangesTheOrder) {
  EXPECT_THAT(Chain().transpose({0, 2, 1}).simplified(), ElementsAre("Transpose a", "MatMul a'"));
  // The transposed tensor read as if it had not been: no dimension has moved back.
  EXPECT_THAT(Chain().transpose({0, 2, 1}).reshape({2, 6, 4}).simplified(),
              ElementsAre("Transpose a", "Reshape a'", "MatMul a''"));
  // 24 elements as 2 x 12, then 12 x 2: the second transpose moves other groups than the first.
  EXPECT_THAT(Chain().transpose({0, 2, 1}).reshape({2, 3, 8}).transpose({0, 2, 1}).simplified(),
              ElementsAre("Transpose a", "Reshape a'", "Transpose a''", "MatMul a'''"));
  EXPECT_THAT(Chain().reshape({4, 3, 4}).simplified(), ElementsAre("Reshape a", "MatMul a'"));
}

TEST(SimplifyLayouts, LeavesTensorsThatOthersNeed) {
  Chain chain;
  chain.reshape({2, 2, 3, 4}).transpose({0, 3, 1, 2});
  chain.model().graph.nodes.push_back({"Conv", "convolution", {"a''"}, {"z"}, {}});
  chain.model().graph.outputs.push_back({"z", DType::kFloat32, {}});
  chain.reshape({2, 4, 6}).transpose({0, 2, 1});
  EXPECT_THAT(chain.simplified(), ElementsAre("Reshape a", "Transpose a'", "Conv a''", "MatMul a"));
}

TEST(SimplifyLayouts, OutputsKeepTheirNames) {
  Chain chain;
  chain.transpose({0, 2, 1}).transpose({0, 2, 1});
  chain.model().graph.outputs.push_back({"a''", DType::kFloat32, {2, 6, 4}});
  EXPECT_THAT(chain.simplified(), ElementsAre("Reshape a", "MatMul a''"));
}

}  // namespace
}  // namespace nongemm::onnx
