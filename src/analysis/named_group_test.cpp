#include "analysis/named_group.h"

#include <gmock/gmock.h>

#include <map>

namespace nongemm {
namespace {

TEST(NamedGroup, OperatorsWithoutTheirOverload) {
  const auto group = [](const char* name) { return named_group(name)->group; };
  EXPECT_EQ(group("aten.addmm"), Group::kGemm);
  EXPECT_EQ(group("aten.native_layer_norm"), Group::kNormalization);
  EXPECT_EQ(group("aten._softmax"), Group::kLogit);
  EXPECT_EQ(group("aten.mul_"), Group::kArithmetic);
  EXPECT_EQ(group("onnx.Gemm"), Group::kGemm);
  EXPECT_EQ(named_group("aten.gelu")->variant, "GELU");
  EXPECT_EQ(named_group("aten.gelu")->by, GroupedBy::kOperator);
  EXPECT_FALSE(named_group("Torch-Compiled Region: 0/1").has_value());
  EXPECT_FALSE(named_group("mylib.fancy").has_value());
}

TEST(NamedGroup, GeneratedKernelsSayWhatTheyDo) {
  const std::map<std::string, Group> kernels = {
      {"triton_per_fused_add_native_layer_norm_view_8", Group::kNormalization},
      {"triton_poi_fused_convolution_gelu_transpose_view_26", Group::kActivation},
      {"triton_poi_fused__native_batch_norm_legit_no_training_relu_5", Group::kNormalization},
      {"triton_red_fused__to_copy_add_mean_mul_pow_rsqrt_3", Group::kNormalization},
      {"triton_per_fused__softmax_add_2", Group::kLogit},
      {"triton_poi_fused_convolution_transpose_view_3", Group::kMemoryMovement},
      {"triton_poi_fused_clone_12", Group::kMemoryMovement},
      {"triton_poi_fused_add_copy__11", Group::kArithmetic},
      {"triton_poi_fused_silu_mul_1", Group::kActivation},
      {"triton_tem_fused_mm_4", Group::kGemm},
      {"triton_tem_fused_flex_attention_0", Group::kAttention},
  };
  for (const auto& [name, group] : kernels) {
    EXPECT_EQ(group_of_generated(name), group) << name;
    EXPECT_EQ(named_group("kernel." + name)->by, GroupedBy::kGenerated) << name;
  }
  EXPECT_EQ(named_group("kernel.triton_poi_fused_frobnicate_7")->by, GroupedBy::kNothing);
  EXPECT_EQ(group_of_generated("my_triton_kernel"), std::nullopt);
}

TEST(NamedGroup, KernelsOfLibraries) {
  const std::map<std::string, Group> kernels = {
      {"nvjet_sm90_hsh_64x8_64x16_4x1_v_bz_bias_NNT", Group::kGemm},
      {"void cublasLt::splitKreduce_kernel<32, 16, int>(int)", Group::kGemm},
      {"void gemv2T_kernel_val<int, int>(int)", Group::kGemm},
      {"sm80_xmma_fprop_implicit_gemm_indexed_f16f16_f16f32", Group::kGemm},
      {"conv2d_c1_k1_nchw_shmem_tiling", Group::kGemm},
      {"void cutlass::Kernel2<cutlass_80_simt_sgemm_256x128_8x4_nn_align1>(int)", Group::kGemm},
      {"cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16_knob_7", Group::kAttention},
      {"ncclDevKernel_AllReduce_Sum_f16_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Group::kCommunication},
      {"void (anonymous namespace)::softmax_warp_forward<float, float>(float*)", Group::kLogit},
      {"void at::native::vectorized_elementwise_kernel<8, at::native::CUDAFunctor_add<c10::Half> >(int)",
       Group::kArithmetic},
      {"void at::native::vectorized_elementwise_kernel<8, at::native::silu_kernel>(int)", Group::kActivation},
      {"void at::native::vectorized_elementwise_kernel<8, at::native::float16_copy_kernel_cuda>(int)",
       Group::kMemoryMovement},
      {"void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float> >(int)", Group::kReduction},
      {"void cudnn::ops::nchwToNhwcKernel<__half>(int)", Group::kMemoryMovement},
      {"void kInt8VectorQuant<__half, 1024, 0>(__half*)", Group::kQuantization},
      {"frobnicate", Group::kOther},
  };
  for (const auto& [name, group] : kernels) EXPECT_EQ(group_of_kernel(name), group) << name;
  EXPECT_EQ(named_group("kernel.frobnicate")->by, GroupedBy::kNothing);
  EXPECT_EQ(named_group("copy.host_to_device")->group, Group::kCommunication);
}

}  // namespace
}  // namespace nongemm
