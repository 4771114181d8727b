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

}  // namespace
}  // namespace nongemm::torch_flow
