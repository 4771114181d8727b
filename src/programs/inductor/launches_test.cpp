#include "programs/inductor/launches.h"

#include <gtest/gtest.h>

namespace nongemm::inductor {
namespace {

CompiledProgram program_of(const std::vector<std::string>& names) {
  RuntimeProgram program;
  for (const std::string& name : names)
    program.nodes.push_back({.name = name, .type = "", .provider = "", .covers = {}});
  return CompiledProgram(std::move(program));
}

using Steps = std::vector<NodeId>;

TEST(Launches, CompiledKernelsAreFixedPoints) {
  const CompiledProgram program =
      program_of({"triton_poi_fused_add_0", "aoti_torch_cuda_mm_out", "triton_poi_fused_add_0", "triton_red_fused_1"});
  EXPECT_EQ(program.steps_of_launches(
                {"triton_poi_fused_add_0", "nvjet_sm90", "triton_poi_fused_add_0", "triton_red_fused_1"}),
            (Steps{0, 1, 2, 3}));
}

TEST(Launches, ALibrarysKernelsGoToTheCallsBetween) {
  const CompiledProgram program = program_of(
      {"aoti_torch_cuda_addmm_out", "aoti_torch_cuda_mm_out", "triton_poi_fused_0", "aoti_torch_cuda_mm_out"});
  // A split product finishes in a second kernel; a fill before the last is its own.
  EXPECT_EQ(program.steps_of_launches(
                {"gemm_a", "cublasLt::splitKreduce_kernel", "gemm_b", "triton_poi_fused_0", "", "gemm_c"}),
            (Steps{0, 0, 1, 2, 3, 3}));
  // Two kernels each.
  EXPECT_EQ(program.steps_of_launches({"a1", "a2", "b1", "b2", "triton_poi_fused_0", "c"}), (Steps{0, 0, 1, 1, 2, 3}));
}

TEST(Launches, WhatIsNotAnnouncedIsARow) {
  CompiledProgram program = program_of({"triton_poi_fused_0"});
  const std::vector<std::string_view> kernels = {"triton_poi_fused_0", "triton_poi_fused_9", "memcpy_kernel"};
  Steps steps = program.steps_of_launches(kernels);
  EXPECT_EQ(steps, (Steps{0, kNoId, kNoId}));
  program.complete({kernels.begin(), kernels.end()}, steps);
  ASSERT_EQ(program.steps().nodes.size(), 3U);
  EXPECT_EQ(program.steps_of_launches(kernels), (Steps{0, 1, 2}));
  EXPECT_TRUE(program.steps().nodes[1].covers.empty());
}

TEST(Calls, AreFoundByNameAndOrder) {
  CompiledProgram program = program_of({"aoti_torch_cpu_addmm_out", "cpp_fused_gelu_0", "aoti_torch_cpu_addmm_out"});
  const std::vector<std::string> calls = {"aoti_torch_cpu_addmm_out", "graph_0_cpp_fused_gelu_0", "aten::mystery",
                                          "aoti_torch_cpu_addmm_out"};
  const Steps steps = program.steps_of_calls(calls);
  EXPECT_EQ(steps, (Steps{0, 1, kNoId, 2}));
  program.complete(calls, steps);
  EXPECT_EQ(program.steps_of_calls(calls), (Steps{0, 1, 3, 2}));
}

TEST(Calls, AreSeenWherePyTorchDispatchesThem) {
  RuntimeProgram program;
  program.nodes.push_back({.name = "aoti_torch_cpu__native_multi_head_attention",
                           .type = "_native_multi_head_attention",
                           .provider = "",
                           .covers = {}});
  program.nodes.push_back({.name = "aoti_torch_cpu_addmm_out", .type = "addmm_out", .provider = "", .covers = {}});
  EXPECT_EQ(CompiledProgram(std::move(program)).steps_of_calls({"aten::_native_multi_head_attention", "aten::addmm"}),
            (Steps{0, 1}));
}

TEST(Launches, GiveRecordsStepsAndSpans) {
  const CompiledProgram program = program_of({"triton_poi_fused_0", "triton_poi_fused_1"});
  Trace trace;
  trace.names = {"triton_poi_fused_1", "triton_poi_fused_0"};
  // In the order of begin, which is not that of launch.
  trace.device = {{.begin_ns = 50, .end_ns = 60, .launch_ns = 20, .name = 0},
                  {.begin_ns = 70, .end_ns = 90, .launch_ns = 10, .name = 1}};
  program.assign_launches(trace);
  EXPECT_EQ(trace.device[0].node, 1U);
  EXPECT_EQ(trace.device[1].node, 0U);
  ASSERT_EQ(trace.nodes.size(), 2U);
  EXPECT_EQ(trace.nodes[0].node, 0U);
  EXPECT_EQ(trace.nodes[0].end_ns, 20);
  EXPECT_EQ(trace.device[0].span, 1U);
}

}  // namespace
}  // namespace nongemm::inductor
