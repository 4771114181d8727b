// The TensorRT flow's entry point.
#include <cuda_runtime_api.h>

#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "flows/device/device.h"
#include "flows/file_cache.h"
#include "flows/load.h"
#include "flows/tensorrt/builder.h"
#include "flows/tensorrt/model.h"
#include "flows/tensorrt/session.h"
#include "lowering/lower.h"
#include "onnx/file.h"
#include "programs/tensorrt/ranges.h"
#include "weights/made_weights.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::tensorrt {
namespace {

int open_device(const Device& device) {
  if (device.kind != DeviceKind::kCuda) {
    throw Error(ErrorKind::kUnsupported, "TensorRT runs on NVIDIA GPUs, not on '" + to_string(device) + "'",
                "add --device cuda");
  }
  check(cudaSetDevice(device.index), "choosing a device");
  return device.index;
}

/// Engines are for one kind of device.
std::string device_name(int index) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "asking for a device's properties");
  std::string name = properties.name;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

onnx::GiveWeight giver(const Graph& graph, const std::vector<HostTensor>& weights, std::uint64_t seed) {
  return [&graph, &weights, specs = weights::weight_specs(graph.stored()), seed](std::size_t place) {
    return weights::made_weight(graph, place, [&](std::size_t i) {
      return weights.at(i).data ? weights[i] : weights::synthesize(specs[i], seed);
    });
  };
}

DType weight_dtype(const Graph& graph) {
  for (const Weight& weight : graph.weights) {
    if (const DType dtype = graph.values[weight.value].type.dtype; is_floating(dtype)) return dtype;
  }
  return DType::kFloat32;
}

/// Models of files may leave open what the engine is built for.
std::string sizes_of(const Graph& graph) {
  std::string text;
  for (const Input& input : graph.inputs) text += to_string(graph.values[input.value].type.shape);
  return text;
}

Exporter exporter_of(const Graph& graph, const RunOptions& options) {
  return {options.setting("tensorrt.export"), graph.name};
}

class TensorRtFlow : public Flow {
 public:
  TensorRtFlow() { offer_to_listen(); }

  FlowInfo info() const override {
    FlowInfo info{"tensorrt", "TensorRT", Library::get().version(), {}};
    for (const DeviceDescription& device : device::library().devices())
      info.devices.push_back({DeviceKind::kCuda, device.index});
    return info;
  }

  std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                   const RunOptions& options) override {
    const Library& library = Library::get();
    const int device = open_device(options.device);
    BuildOptions build = build_options(weight_dtype(graph), options.allows_tf32(/*by_default=*/true), options.settings);
    build.quantized = graph.attributes.contains("quantize");
    if (build.quantized && build.int8) {
      throw Error(ErrorKind::kUsage, "tensorrt.precision=int8 would give a quantized model's tensors other scales",
                  "leave one of the two out");
    }
    const TemporaryFolder folder;
    const EngineModel model = graph.source != nullptr
                                  ? users_model(graph, folder.path())
                                  : lowered_model(graph, folder.path(), giver(graph, weights, options.seed));
    std::map<std::string, Shape> inputs;
    for (const Input& input : graph.inputs) inputs[input.name] = graph.values[input.value].type.shape;

    const FileCache cache(options.setting("tensorrt.cache"), "tensorrt");
    const std::string where = device_name(device) + "-" + library.version();
    const std::string name =
        FileCache::key_of(model.files, build.text() + " " + where + " " + sizes_of(graph)) + ".engine";
    if (const std::optional<std::string> kept = cache.read(name)) {
      if (auto engine = Engine::open(library, *kept))
        return make_session(graph, model, std::move(engine), device, exporter_of(graph, options), build.allow_tf32);
    }
    const std::string built =
        build_engine(library, model.files[0], inputs, build, cache, "times-" + where + ".cache", options.progress);
    auto engine = Engine::open(library, built);
    if (engine == nullptr) fail("TensorRT cannot load the engine that it built");
    cache.write(name, built);
    return make_session(graph, model, std::move(engine), device, exporter_of(graph, options), build.allow_tf32);
  }
};

}  // namespace
}  // namespace nongemm::tensorrt

extern "C" __attribute__((visibility("default"))) nongemm::Flow* nongemm_create_flow() {
  return new nongemm::tensorrt::TensorRtFlow();
}

/// Called by NVTX once in every library that uses it, where NVTX_INJECTION64_PATH names this module.
extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(
    nongemm::tensorrt::GetExportTable get_export_table) {
  return nongemm::tensorrt::begin_listening(get_export_table);
}
