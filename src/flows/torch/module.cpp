// The torch flow's entry point.
#include <torch/headeronly/version.h>

#include <c10/core/Device.h>

#include <cstdlib>

#include "base/error.h"
#include "flows/load.h"
#include "flows/torch/host_operators.h"
#include "flows/torch/roi_operators.h"
#include "flows/torch/session.h"

namespace nongemm::torch_flow {
namespace {

class TorchFlow : public Flow {
 public:
  TorchFlow() {
    register_host_operators();
    if (const char* torchvision = std::getenv("NONGEMM_TORCHVISION")) load_torchvision(torchvision);
    register_roi_operators();
  }

  FlowInfo info() const override { return {"torch", "PyTorch (LibTorch)", TORCH_VERSION, {"cpu"}}; }

  std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                   const RunOptions& options) override {
    if (options.device != "cpu") {
      throw Error(ErrorKind::kUnsupported, "device '" + options.device + "' is not available in the torch flow");
    }
    return make_session(graph, weights, options, c10::Device(c10::kCPU));
  }
};

}  // namespace
}  // namespace nongemm::torch_flow

extern "C" __attribute__((visibility("default"))) nongemm::Flow* nongemm_create_flow() {
  return new nongemm::torch_flow::TorchFlow();
}
