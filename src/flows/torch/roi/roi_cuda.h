// torchvision's nms and roi_align on CUDA devices, by the program's own kernels.
#pragma once

namespace nongemm::torch_flow {

/// Registers them unless torchvision's own library has, or torchvision's operators are not defined at all. Safe to call
/// again.
void register_cuda_roi_operators();

}  // namespace nongemm::torch_flow
