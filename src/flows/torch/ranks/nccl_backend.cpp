#include "flows/torch/ranks/nccl_backend.h"

#include "flows/module.h"
#include "flows/places.h"
#include "flows/torch/cuda/load.h"

namespace nongemm::torch_flow {

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
                                                    std::chrono::milliseconds timeout) {
  load_torch_cuda();
  static const auto create = reinterpret_cast<NongemmCreateNcclBackend>(
      module_entry(module_folder() + "/libnongemm_torch_cuda.so", "nongemm_create_nccl_backend",
                   "collectives of CUDA devices are not available",
                   "build again where nccl.h is: the PyPI package nvidia-nccl-cu13 has it, beside torch or in .deps"));
  return c10::intrusive_ptr<c10d::Backend>::reclaim(create(store, rank, ranks, timeout));
}

}  // namespace nongemm::torch_flow
