// The smallest kernel: what remains is the cost of launching.
#include "flows/cuda/kernels.h"

namespace nongemm::cuda {
namespace {

__global__ void nothing_kernel() {}

}  // namespace

void launch_nothing(cudaStream_t stream) { nothing_kernel<<<1, 1, 0, stream>>>(); }

}  // namespace nongemm::cuda
