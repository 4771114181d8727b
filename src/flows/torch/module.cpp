// The torch flow's entry point.
#include <ATen/Parallel.h>
#include <c10/core/Device.h>
#include <torch/headeronly/version.h>

#include <cstdlib>

#include "base/error.h"
#include "flows/device/device.h"
#include "flows/load.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/foreign.h"
#include "flows/torch/fused/fused_cuda.h"
#include "flows/torch/fused/fused_operators.h"
#include "flows/torch/grouped.h"
#include "flows/torch/host_operators.h"
#include "flows/torch/limits/limits.h"
#include "flows/torch/quantize/int8_cuda.h"
#include "flows/torch/quantize/int8_operators.h"
#include "flows/torch/quantize/low_bit_operators.h"
#include "flows/torch/ranks/all_reduce.h"
#include "flows/torch/ranks/rank_group.h"
#include "flows/torch/roi/roi_cuda.h"
#include "flows/torch/roi/roi_operators.h"
#include "flows/torch/session.h"
#include "spec/rank_place.h"

namespace nongemm::torch_flow {
namespace {

c10::Device open_device(const Device& device) {
  if (device.is_host()) return c10::kCPU;
  const c10::Device opened = open_cuda_device(device.index);
  with_errors("registering operators for the CUDA device", [] {
    register_cuda_roi_operators();
    register_cuda_int8_operators();
    register_cuda_fused_operators();
  });
  return opened;
}

/// Before LibTorch asks itself for CUDA, and before torchvision's library, which needs it. A failure is told when a
/// device is asked for.
void load_cuda_early() {
  if (!has_nvidia_driver()) return;
  try {
    load_torch_cuda();
  } catch (const Error&) {
  }
}

class TorchFlow : public Flow {
 public:
  TorchFlow() {
    load_cuda_early();
    register_host_operators();
    register_grouped_products();
    register_all_reduce();
    if (const char* torchvision = std::getenv("NONGEMM_TORCHVISION")) load_torchvision(torchvision);
    register_roi_operators();
    register_int8_operators();
    register_low_bit_operators();
    register_fused_operators();
  }

  FlowInfo info() const override {
    FlowInfo info{"torch", "PyTorch (LibTorch)", TORCH_VERSION, {Device()}};
    if (!has_nvidia_driver()) return info;
    try {
      load_torch_cuda();
      for (const DeviceDescription& device : device::library().devices())
        info.devices.push_back({DeviceKind::kCuda, device.index});
    } catch (const Error&) {  // the host alone
    }
    return info;
  }

  std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                   const RunOptions& options) override {
    const c10::Device device = open_device(options.device);
    if (options.place.is_one_of_several()) communicator(options);
    for (const std::string& library : options.libraries) load_operators(library);
    return with_errors("preparing the model", [&] { return make_session(graph, weights, options, device); });
  }

  Communicator& communicator(const RunOptions& options) override {
    // Left before LibTorch ends, since it is made after: threads of the transport want what they run on.
    static const std::unique_ptr<Communicator> ranks = join_ranks(options.place, open_device(options.device));
    return *ranks;
  }

  std::vector<std::string> operator_schemas(const std::string& name,
                                            const std::vector<std::string>& libraries) override {
    for (const std::string& library : libraries) load_operators(library);
    return schemas_of(name);
  }

  DeviceLimits measure_limits(const RunOptions& options) override {
    const c10::Device device = open_device(options.device);
    return with_errors("measuring the device's limits", [&] {
      if (options.threads > 0) at::set_num_threads(options.threads);  // where another flow runs the model
      return torch_flow::measure_limits(device);
    });
  }
};

}  // namespace
}  // namespace nongemm::torch_flow

extern "C" __attribute__((visibility("default"))) nongemm::Flow* nongemm_create_flow() {
  return new nongemm::torch_flow::TorchFlow();
}
