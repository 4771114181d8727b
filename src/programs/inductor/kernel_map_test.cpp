#include "programs/inductor/kernel_map.h"

#include <gtest/gtest.h>

#include "ops/builder.h"

namespace nongemm::inductor {
namespace {

/// 0 linear, 1 gelu, 2 layer_norm, 3 transpose, 4 linear.
Graph small_graph() {
  Builder builder("small", DType::kFloat32);
  const Tensor x = builder.input("x", DType::kFloat32, {8, 16}, {});
  const Tensor w = builder.parameter("w", {16, 16}, {});
  const Tensor v = builder.parameter("v", {4, 8}, {});
  const Tensor hidden = builder.call("aten.gelu.default", {builder.call("aten.linear.default", {x, w})});
  const Tensor normal = builder.call("aten.layer_norm.default", {hidden, Shape{16}});
  builder.output("y", builder.call("aten.linear.default", {builder.call("aten.transpose.int", {normal, 0, 1}), v}));
  return builder.finish();
}

pt2::CompiledPackage package_of(std::vector<pt2::CompiledKernel> kernels) {
  pt2::CompiledPackage package;
  package.kernels = std::move(kernels);
  return package;
}

const std::vector<pt2::CompiledKernel> kKernels = {
    {"aoti_torch_cuda_mm_out", {"n0_linear"}, {"mm", "permute"}},
    {"triton_per_fused_gelu_layer_norm_0",
     {"n0_linear", "n1_gelu", "n2_layer_norm"},
     {"view", "erf", "mul", "rsqrt_1"}},
    {"aoti_torch_cuda_mm_out", {"n4_linear", "n3_transpose", "n2_layer_norm"}, {"mm_1", "view_2"}},
};

TEST(KernelMap, NodesBelongToTheKernelsThatComputeThem) {
  const RuntimeProgram program = map_kernels(package_of(kKernels), small_graph());
  ASSERT_EQ(program.nodes.size(), 3U);
  EXPECT_EQ(program.nodes[0].covers, (std::vector<NodeId>{0}));
  // The product's result is only read here, through a view.
  EXPECT_EQ(program.nodes[1].covers, (std::vector<NodeId>{1, 2}));
  EXPECT_EQ(program.nodes[2].covers, (std::vector<NodeId>{4}));
  EXPECT_EQ(program.folded, (std::vector<NodeId>{3}));
  EXPECT_EQ(program.nodes[0].type, "mm_out");
  EXPECT_EQ(program.nodes[1].type, "triton_per");
}

TEST(KernelMap, SourcesOfViewsAreNotComputed) {
  std::vector<pt2::CompiledKernel> kernels = kKernels;
  kernels[1] = {
      "triton_poi_fused_gelu_0", {"n1_gelu", "n2_layer_norm"}, {"view_1", "erf"}, {{"n2_layer_norm"}, {"n1_gelu"}}};
  EXPECT_EQ(map_kernels(package_of(kernels), small_graph()).nodes[1].covers, (std::vector<NodeId>{1}));
}

Graph attention_graph() {
  Builder builder("attention", DType::kFloat32);
  const Tensor x = builder.input("x", DType::kFloat32, {1, 2, 8, 4}, {});
  builder.output("y", builder.call("aten.scaled_dot_product_attention.default", {x, x, x}));
  return builder.finish();
}

const std::vector<std::string> kAttention = {"n0_scaled_dot_product_attention"};

TEST(KernelMap, AnAttentionTakenApartIsToldByItsParts) {
  const RuntimeProgram program = map_kernels(package_of({{"aoti_torch_cuda_bmm_out", kAttention, {"bmm"}},
                                                         {"triton_per_fused__softmax_0", kAttention, {"amax", "exp_1"}},
                                                         {"triton_poi_fused_mul_1", kAttention, {"mul"}}}),
                                             attention_graph());
  EXPECT_EQ(program.nodes[0].operators, std::vector<std::string>{"MatMul"});
  EXPECT_EQ(program.nodes[1].operators, std::vector<std::string>{"Softmax"});
  EXPECT_EQ(program.nodes[2].operators, std::vector<std::string>{"Mul"});
  for (const RuntimeNode& step : program.nodes) EXPECT_EQ(step.covers, std::vector<NodeId>{0}) << step.name;
}

TEST(KernelMap, AnAttentionInOneKernelIsThatKernels) {
  const RuntimeProgram program =
      map_kernels(package_of({{"triton_poi_fused_pad_0", kAttention, {"constant_pad_nd"}},
                              {"aoti_torch_cuda__flash_attention", kAttention, {"_flash_attention"}}}),
                  attention_graph());
  EXPECT_EQ(program.nodes[0].role, RuntimeRole::kReformat);
  EXPECT_EQ(program.nodes[1].covers, std::vector<NodeId>{0});
  EXPECT_TRUE(program.nodes[1].operators.empty());
}

TEST(KernelMap, AProductsOperandIsReformatted) {
  std::vector<pt2::CompiledKernel> kernels = kKernels;
  kernels[1] = {"triton_poi_fused_mm_0", {"n0_linear"}, {"permute"}};
  const RuntimeProgram program = map_kernels(package_of(kernels), small_graph());
  EXPECT_EQ(program.nodes[1].role, RuntimeRole::kReformat);
  EXPECT_TRUE(program.nodes[1].covers.empty());
}

TEST(KernelMap, ATemplateMayHoldWhatFollowsItsProduct) {
  std::vector<pt2::CompiledKernel> kernels = kKernels;
  kernels[0] = {"triton_tem_fused_mm_gelu_0", {"n0_linear", "n1_gelu"}, {"mm", "erf"}};
  const RuntimeProgram program = map_kernels(package_of(kernels), small_graph());
  EXPECT_EQ(program.nodes[0].covers, (std::vector<NodeId>{0, 1}));
}

TEST(KernelMap, ForeignNamesAreNoNodes) {
  // Of an export that is not ours, and of a larger graph.
  const RuntimeProgram program =
      map_kernels(package_of({{"triton_poi_fused_0", {"linear_1", "add_", "n99_mul"}, {"mul"}}}), small_graph());
  EXPECT_TRUE(program.nodes[0].covers.empty());
  EXPECT_EQ(program.folded.size(), 5U);
}

}  // namespace
}  // namespace nongemm::inductor
