// The ort flow's entry point.
#include "base/error.h"
#include "flows/device/device.h"
#include "flows/load.h"
#include "flows/ort/library.h"
#include "flows/ort/session.h"

namespace nongemm::ort_flow {
namespace {

class OrtFlow : public Flow {
 public:
  OrtFlow() { Library::get(); }

  FlowInfo info() const override {
    FlowInfo info{"ort", "ONNX Runtime", Library::get().version(), {Device()}};
    if (!Library::get().has_provider("CUDAExecutionProvider")) return info;
    try {
      for (const DeviceDescription& device : device::library().devices())
        info.devices.push_back({DeviceKind::kCuda, device.index});
    } catch (const Error&) {  // the host alone
    }
    return info;
  }

  std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                   const RunOptions& options) override {
    return make_session(graph, weights, options);
  }
};

}  // namespace
}  // namespace nongemm::ort_flow

extern "C" __attribute__((visibility("default"))) nongemm::Flow* nongemm_create_flow() {
  return new nongemm::ort_flow::OrtFlow();
}
