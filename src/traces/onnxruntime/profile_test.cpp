// Small profiles of ONNX Runtime's kind.
#include <gmock/gmock.h>

#include <cstring>

#include "traces/read_trace.h"

namespace nongemm::traces {
namespace {

ToolTrace read(const std::string& text) {
  bool given = false;
  return read_event_trace(
      [&](char* to, std::size_t most) {
        const std::size_t count = given ? 0 : std::min(most, text.size());
        std::memcpy(to, text.data(), count);
        given = true;
        return count;
      },
      "profile.json");
}

constexpr const char* kBegin =
    R"([{"cat" : "Session","pid" :4,"tid" :4,"dur" :24,"ts" :4,"ph" : "X","name" :"model_loading_uri","args" : {}},)"
    R"({"cat" : "Session","pid" :4,"tid" :4,"dur" :300,"ts" :100,"ph" : "X","name" :"model_run","args" : {}},)";

TEST(OnnxRuntime, NodesInsideNodesCountOnceOnTheHost) {
  const ToolTrace trace = read(
      std::string(kBegin) +
      R"({"cat" : "Node","pid" :4,"tid" :4,"dur" :100,"ts" :110,"ph" : "X","name" :"loop_kernel_time","args" : {"op_name" : "Loop"}},)"
      R"({"cat" : "Node","pid" :4,"tid" :4,"dur" :60,"ts" :120,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "MatMul"}},)"
      R"({"cat" : "Node","pid" :4,"tid" :4,"dur" :2,"ts" :210,"ph" : "X","name" :"a_fence_after","args" : {"op_name" : "MatMul"}}])");
  EXPECT_EQ(trace.kind, "onnxruntime");
  EXPECT_THAT(trace.run_ns, testing::ElementsAre(300'000));
  ASSERT_EQ(trace.nodes.size(), 2U);
  EXPECT_EQ(trace.nodes[0].total_ns, 100'000);
  EXPECT_EQ(trace.nodes[0].host_ns, 40'000);
  EXPECT_EQ(trace.nodes[1].host_ns, 60'000);
}

TEST(OnnxRuntime, KernelsGoToTheNodeBeforeThem) {
  const ToolTrace trace = read(
      std::string(kBegin) +
      R"({"cat" : "Node","pid" :4,"tid" :4,"dur" :10,"ts" :110,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "MatMul"}},)"
      R"({"cat" : "Kernel","pid" :-1,"tid" :-1,"dur" :7,"ts" :120,"ph" : "X","name" :"sgemm","args" : {"stream" : "3","op_name" : "MatMul"}}])");
  ASSERT_EQ(trace.trace.device.size(), 1U);
  EXPECT_EQ(trace.trace.names.at(trace.nodes.at(trace.trace.device[0].node).name), "MatMul");
  EXPECT_EQ(trace.streams.at(0).stream, 3);
}

}  // namespace
}  // namespace nongemm::traces
