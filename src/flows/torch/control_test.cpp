// Control nodes: graphs whose work depends on the data run as the same Python would.
#include <gtest/gtest.h>

#include "flows/torch/host_operators.h"
#include "flows/torch/roi/roi_operators.h"
#include "flows/torch/session.h"
#include "models/detection/box_ops.h"
#include "models/parts/functional.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

HostTensor floats(Shape shape, const std::vector<float>& values) {
  return HostTensor::from<float>(DType::kFloat32, std::move(shape), values);
}

std::vector<float> values_of(const HostTensor& tensor) {
  return {tensor.as<float>(), tensor.as<float>() + element_count(tensor.shape)};
}

std::unique_ptr<Session> prepare(const Graph& graph) {
  torch_flow::register_host_operators();
  torch_flow::register_roi_operators();
  return torch_flow::make_session(graph, {}, {}, c10::Device(c10::kCPU));
}

/// Rows of x above 0 in their sum are doubled, the others dropped to zeros; then stacked again.
Graph double_positive_rows() {
  Builder b("rows", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {kDynamic, 2}, {});
  const Tensor rows = b.call("aten.unbind.int", {x, 0});
  const std::vector<Tensor> done = b.foreach ({rows}, 4, [&](const std::vector<Tensor>& row) {
    const Tensor sum = b.call("aten.sum.default", {row[0]});
    const Tensor positive = b.call("aten.is_nonzero.default", {b.call("aten.gt.Scalar", {sum, 0})});
    return b.branch(
        positive, 0.5, [&] { return std::vector{fn::mul(row[0], 2.0)}; },
        [&] { return std::vector{b.call("aten.zeros_like.default", {row[0]})}; });
  });
  b.output("y", b.call("aten.stack.default", {done, 0}));
  return b.finish();
}

TEST(Control, ALoopRunsOncePerElementAndABranchByItsCondition) {
  const Graph graph = double_positive_rows();
  const auto session = prepare(graph);
  session->set_inputs({floats({3, 2}, {1, 2, -5, 1, 0, 4})});
  session->run();
  EXPECT_EQ(session->outputs()[0].shape, (Shape{3, 2}));
  EXPECT_EQ(values_of(session->outputs()[0]), (std::vector<float>{2, 4, 0, 0, 0, 8}));

  session->set_inputs({floats({1, 2}, {-1, 0})});  // the same graph on other data
  session->run();
  EXPECT_EQ(values_of(session->outputs()[0]), (std::vector<float>{0, 0}));
}

TEST(Control, EachIterationLeavesItsSpans) {
  const Graph graph = double_positive_rows();
  const auto session = prepare(graph);
  session->set_inputs({floats({3, 2}, {1, 2, -5, 1, 0, 4})});
  Trace trace;
  session->run_traced(TraceLevel::kHost, trace);
  std::map<std::string, int> calls;
  for (const NodeSpan& span : trace.nodes) ++calls[graph.nodes[span.node].op];
  EXPECT_EQ(calls["aten.sum.default"], 3);
  EXPECT_EQ(calls["aten.mul.Tensor"], 2);
  EXPECT_EQ(calls["aten.zeros_like.default"], 1);
  EXPECT_EQ(calls["nongemm.foreach.default"], 0);
}

TEST(Control, BranchesMustGiveTheSameKindsOfValues) {
  Builder b("bad", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {2}, {});
  const Tensor yes = b.call("aten.is_nonzero.default", {b.call("aten.sum.default", {x})});
  const auto tensor = [&] { return std::vector{x}; };
  EXPECT_ANY_THROW(b.branch(yes, 1.0, tensor, [&] { return std::vector<Tensor>{}; }));
  EXPECT_ANY_THROW(b.branch(yes, 1.0, tensor, [&] { return std::vector{b.call("nongemm.numel.default", {x})}; }));
  EXPECT_ANY_THROW(b.branch(x, 1.0, tensor, tensor));
  EXPECT_ANY_THROW(b.foreach ({x}, 1, [&](const std::vector<Tensor>& element) { return element; }));
}

/// torchvision's batched_nms, by either way.
std::vector<std::int64_t> kept_by(std::int64_t count, DeviceKind device) {
  Builder b("nms", DType::kFloat32);
  const Tensor boxes = b.input("boxes", DType::kFloat32, {kDynamic, 4}, {});
  const Tensor scores = b.input("scores", DType::kFloat32, {kDynamic}, {});
  const Tensor labels = b.input("labels", DType::kInt64, {kDynamic}, {});
  const LikelyBoxes likely = {.at_most = 100'000, .boxes = 1000, .categories = 5};
  b.output("kept", batched_nms(boxes, scores, labels, 0.5, likely, device));
  const Graph graph = b.finish();
  std::vector<float> corners;
  std::vector<float> score;
  std::vector<std::int64_t> label;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto x = static_cast<float>(i * 7 % 97);
    const auto y = static_cast<float>(i * 13 % 89);
    for (const float value : {x, y, x + 20.0F, y + 15.0F}) corners.push_back(value);
    score.push_back(1.0F / static_cast<float>(i + 1));
    label.push_back(i % 3);
  }
  const auto session = prepare(graph);
  session->set_inputs({floats({count, 4}, corners), floats({count}, score),
                       HostTensor::from<std::int64_t>(DType::kInt64, {count}, label)});
  session->run();
  const HostTensor kept = session->outputs()[0];
  return {kept.as<std::int64_t>(), kept.as<std::int64_t>() + kept.shape.at(0)};
}

TEST(BatchedNms, BothWaysKeepTheSameBoxes) {
  // 2000 boxes are 8000 numbers: above the CPU's limit, below CUDA's.
  const std::vector<std::int64_t> by_category = kept_by(2000, DeviceKind::kHost);
  EXPECT_GT(by_category.size(), 10U);
  EXPECT_EQ(by_category, kept_by(2000, DeviceKind::kCuda));
}

TEST(BatchedNms, NothingInNothingOut) { EXPECT_TRUE(kept_by(0, DeviceKind::kHost).empty()); }

}  // namespace
}  // namespace nongemm
