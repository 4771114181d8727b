// The CUDA runtime's errors as ours.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "base/error.h"

namespace nongemm::cuda {

inline void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  throw Error(result == cudaErrorMemoryAllocation ? ErrorKind::kOutOfMemory : ErrorKind::kFailed,
              std::string(what) + ": " + cudaGetErrorString(result));
}

}  // namespace nongemm::cuda
