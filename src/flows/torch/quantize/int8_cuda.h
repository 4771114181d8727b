// CUDA kernels of LLM.int8's operators; needs libtorch_cuda loaded.
#pragma once

namespace nongemm::torch_flow {

void register_cuda_int8_operators();

}  // namespace nongemm::torch_flow
