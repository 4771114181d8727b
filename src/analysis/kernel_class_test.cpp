#include "analysis/kernel_class.h"

#include <gmock/gmock.h>

namespace nongemm {
namespace {

TEST(KernelClass, Libraries) {
  EXPECT_EQ(class_of_kernel("sm80_xmma_gemm_f16f16_f16f16_f16_tn_n_tilesize64x64x64"), KernelClass::kMatmul);
  EXPECT_EQ(class_of_kernel("ampere_h16816gemm_128x64_ldg8_stages_64x4_tn"), KernelClass::kMatmul);
  EXPECT_EQ(class_of_kernel("void cutlass::Kernel<cutlass_80_tensorop_h16816>(Params)"), KernelClass::kMatmul);
  EXPECT_EQ(class_of_kernel("sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc"),
            KernelClass::kConvolution);
  EXPECT_EQ(class_of_kernel("fmha_v2_flash_attention_fp16_S_128_64_sm80_kernel_nl"), KernelClass::kAttention);
  EXPECT_EQ(class_of_kernel("_gemm_mha_v2_0xabcd"), KernelClass::kAttention);
  EXPECT_EQ(class_of_kernel("void genericReformat::copyVectorizedKernel<double, float>"), KernelClass::kCopy);
  EXPECT_EQ(class_of_kernel("generatedNativePointwise"), KernelClass::kPointwise);
  EXPECT_EQ(class_of_kernel("void cuSoftmaxKernel"), KernelClass::kReduction);
  EXPECT_EQ(class_of_kernel("something_else"), KernelClass::kUnknown);
}

TEST(KernelClass, GeneratedByMyelin) {
  EXPECT_EQ(class_of_kernel("__myl_bb0_5_ResAddCasMulMeaSub"), KernelClass::kReduction);
  EXPECT_EQ(class_of_kernel("__myl_AddMeanSubMulMeanAddSqrtDivMulCastMulAdd_0x12ab"), KernelClass::kReduction);
  EXPECT_EQ(class_of_kernel("__myl_bb0_9_MulErfAddMul"), KernelClass::kPointwise);
  EXPECT_EQ(class_of_kernel("__myl_bb0_2_TraRes"), KernelClass::kCopy);
  EXPECT_EQ(class_of_kernel("__myl_bb1_12_FcAdd"), KernelClass::kMatmul);
  EXPECT_EQ(class_of_kernel("__myl_"), KernelClass::kUnknown);
}

TEST(OpaqueTime, KernelsOfOpaqueStepsByClass) {
  RuntimeProgram program;
  program.nodes.resize(2);
  program.nodes[1].opaque = true;
  const std::vector<OpaqueTime> rows = time_inside_opaque_steps(program, {{1, "x_gemm_a", 2e-6, 1},
                                                                          {1, "x_gemm_b", 4e-6, 2},
                                                                          {1, "odd", 2e-6, 1},
                                                                          {0, "x_gemm_a", 9e-6, 1},
                                                                          {kNoId, "x_gemm_a", 9e-6, 1}});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].kind, KernelClass::kMatmul);
  EXPECT_EQ(rows[0].launches, 3);
  EXPECT_DOUBLE_EQ(rows[0].share, 0.75);
  EXPECT_EQ(rows[0].example, "x_gemm_b");
  EXPECT_EQ(rows[1].kind, KernelClass::kUnknown);
}

}  // namespace
}  // namespace nongemm
