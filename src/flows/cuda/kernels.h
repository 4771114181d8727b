// Our own kernels. Built with nvcc; a library built without it has none of them.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "flows/device/device.h"
#include "weights/draw.h"

namespace nongemm::cuda {

/// Elements [0, count) into memory. Throws Error(kUnsupported) for types that are not floating-point.
void launch_draw(const weights::Draw& draw, DType dtype, std::int64_t count, void* memory, cudaStream_t stream);

/// Words of the overlap mask of `count` boxes.
std::int64_t nms_mask_words(std::int64_t count);
void launch_nms(const device::NmsArguments& arguments, cudaStream_t stream);
void launch_roi_align(const device::RoiAlignArguments& arguments, cudaStream_t stream);
void launch_nothing(cudaStream_t stream);

}  // namespace nongemm::cuda
