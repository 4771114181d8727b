// Kernels that stand for several of PyTorch's operators. Each throws Error(kUnsupported) for types it does not take.
#pragma once

#include <cuda_runtime_api.h>

#include "flows/device/fused.h"

namespace nongemm::cuda {

void launch_norm_rows(const device::NormRows& rows, cudaStream_t stream);
void launch_rotary(const device::Rotary& rotary, cudaStream_t stream);
void launch_gated_activation(const device::GatedActivation& gated, cudaStream_t stream);

}  // namespace nongemm::cuda
