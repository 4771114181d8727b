#include "flows/torch/capturable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/op.h"
#include "prepare/model.h"

namespace nongemm::torch_flow {
namespace {

Graph graph_of(const std::string& name) {
  ModelOptions options;
  options.device = DeviceKind::kCuda;
  return build_graph(find_model(name), options);
}

TEST(Capturable, ChecksThatNobodyReadsAreLeftOut) {
  for (const char* name : {"gpt2", "bert", "vit-b", "swin-t"}) {
    const Graph graph = graph_of(name);
    const Graph captured = without_host_checks(graph);
    EXPECT_EQ(captured.nodes.size(), graph.nodes.size());
    std::size_t checks = 0;
    for (const NodeId id : graph.blocks[kBodyBlock].nodes) {
      checks += OpTable::get().at(graph.nodes[id].op).entry.group == Group::kSynchronisation ? 1 : 0;
    }
    EXPECT_EQ(captured.blocks[kBodyBlock].nodes.size() + checks, graph.blocks[kBodyBlock].nodes.size()) << name;
  }
}

TEST(Capturable, ModelsWhoseDataDecidesAreRefusedByName) {
  try {
    without_host_checks(graph_of("fasterrcnn"));
    FAIL() << "was captured";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("cannot be captured for replay"));
  }
}

TEST(Capturable, GroupedProductsAreReplayedInBf16Alone) {
  ModelOptions options{.device = DeviceKind::kCuda};
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    options.dtype = dtype;
    const Graph graph = build_graph(find_model("mixtral-8x7b"), options);
    if (dtype == DType::kBFloat16) {
      EXPECT_NO_THROW(without_host_checks(graph));
      continue;
    }
    try {
      without_host_checks(graph);
      ADD_FAILURE() << "was captured in " << name_of(dtype);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("aten._grouped_mm.default in model.layers.0"));
      EXPECT_THAT(error.what(), ::testing::HasSubstr("unless the model runs in bf16"));
    }
  }
}

/// As torch.export writes them.
TEST(Capturable, ExportedGroupedProductsToo) {
  Graph graph;
  for (const Shape& shape : {Shape{8, 16}, Shape{2, 16, 16}, Shape{2}, Shape{8, 16}}) {
    graph.values.emplace_back();
    graph.values.back().type.dtype = DType::kFloat32;
    graph.values.back().type.shape = shape;
  }
  graph.nodes.push_back(
      {"transformers.grouped_mm_fallback.default", {Use{0}, Use{1}, Use{2}}, {3}, kRootScope, {}, {}});
  graph.blocks.resize(1);
  graph.blocks[kBodyBlock].nodes = {0};
  EXPECT_THROW(without_host_checks(graph), Error);
  graph.values[0].type.dtype = graph.values[1].type.dtype = DType::kBFloat16;
  EXPECT_NO_THROW(without_host_checks(graph));
}

}  // namespace
}  // namespace nongemm::torch_flow
