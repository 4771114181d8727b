// CUDA kernels of the fused operators; needs libtorch_cuda loaded.
#pragma once

namespace nongemm::torch_flow {

void register_cuda_fused_operators();

}  // namespace nongemm::torch_flow
