#include "flows/torch/ranks/gloo_backend.h"

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace nongemm::torch_flow {

c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
                                                    std::chrono::milliseconds timeout, bool one_machine) {
  using c10d::ProcessGroupGloo;
  const auto options = c10::make_intrusive<ProcessGroupGloo::Options>(timeout);
  // As torch.distributed has it.
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME")) {
    options->devices.push_back(ProcessGroupGloo::createDeviceForInterface(interface));
  } else if (one_machine) {
    options->devices.push_back(ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  } else {
    options->devices.push_back(ProcessGroupGloo::createDefaultDevice());
  }
  return c10::make_intrusive<ProcessGroupGloo>(store, rank, ranks, options);
}

}  // namespace nongemm::torch_flow
