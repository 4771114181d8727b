// The inductor flow's entry point.
#include <c10/core/Device.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/temporary_folder.h"
#include "flows/device/device.h"
#include "flows/file_cache.h"
#include "flows/inductor/compile.h"
#include "flows/inductor/compile_script.h"
#include "flows/inductor/fits.h"
#include "flows/inductor/session.h"
#include "flows/places.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/cuda/load.h"
#include "lowering/pt2/program.h"
#include "programs/inductor/kernel_map.h"
#include "pt2/file.h"
#include "pt2/package.h"
#include "weights/made_weights.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::inductor_flow {
namespace {

c10::Device open_device(const Device& device) {
  return device.is_host() ? c10::Device(c10::kCPU) : torch_flow::open_cuda_device(device.index);
}

/// Packages are for one kind of device.
std::string device_name(const Device& device) {
  if (device.is_host()) return "cpu";
  for (const DeviceDescription& found : device::library().devices()) {
    if (found.index == device.index) return found.name;
  }
  return "cuda";
}

/// Packages name libtorch.so. One that is loaded counts wherever it came from: the installation's, or our empty one.
void load_torch_by_name() {
  if (dlopen("libtorch.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  const std::string empty = module_folder() + "/inductor/libtorch.so";
  if (dlopen(empty.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  throw Error(ErrorKind::kUnsupported, std::string("compiled packages need libtorch.so: ") + dlerror(),
              "build the flow again, or name a torch install in NONGEMM_TORCH");
}

double seconds_of(const RunOptions& options) {
  const std::string text = options.setting("inductor.seconds", "3600");
  double seconds = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, seconds).ptr != end || !(seconds > 0)) {
    throw Error(ErrorKind::kUsage, "inductor.seconds is '" + text + "'", "give a number of seconds above 0");
  }
  return seconds;
}

/// What the compiler's passes look at is their types.
std::vector<HostTensor> example_inputs(const Graph& graph) {
  std::vector<HostTensor> inputs;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    auto [tensor, bytes] = HostTensor::allocate(type.dtype, type.shape);
    std::fill_n(bytes, tensor.byte_size(), std::byte{0});
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void export_graph(const Graph& graph, const std::vector<HostTensor>& weights, std::uint64_t seed,
                  const std::filesystem::path& path) {
  const std::vector<weights::WeightSpec> specs = weights::weight_specs(graph.stored());
  const auto give = [&](std::size_t place) {
    return weights::made_weight(graph, place, [&](std::size_t i) {
      return weights.at(i).data ? weights[i] : weights::synthesize(specs[i], seed);
    });
  };
  pt2::write_program(pt2::lower_to_pt2(graph), path, give, example_inputs(graph));
}

class InductorFlow : public Flow {
 public:
  InductorFlow() {
    // Before LibTorch asks itself for CUDA. A failure is told when a device is asked for.
    if (!torch_flow::has_nvidia_driver()) return;
    try {
      torch_flow::load_torch_cuda();
    } catch (const Error&) {
    }
  }

  FlowInfo info() const override {
    FlowInfo info{"inductor", "PyTorch Inductor (AOTInductor)", TORCH_VERSION, {Device()}};
    if (!torch_flow::has_nvidia_driver()) return info;
    try {
      torch_flow::load_torch_cuda();
      for (const DeviceDescription& device : device::library().devices())
        info.devices.push_back({DeviceKind::kCuda, device.index});
    } catch (const Error&) {  // the host alone
    }
    return info;
  }

  std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                   const RunOptions& options) override {
    const c10::Device device = open_device(options.device);
    load_torch_by_name();
    if (inductor::is_package_graph(graph)) {
      const std::filesystem::path named = std::get<std::string>(graph.nodes[0].args.at(0));
      const pt2::CompiledPackage of_user = pt2::read_package(named);
      check_fits(named, of_user, options.device);
      return make_session(graph, named, of_user, options, device);
    }
    const TemporaryFolder folder;
    const std::filesystem::path program = folder.path() / "model.pt2";
    export_graph(graph, weights, options.seed, program);

    const CompileRequest request{device.str(), options.setting("inductor.mode", "default"), options.threads,
                                 seconds_of(options)};
    const FileCache cache(options.setting("inductor.cache", ""), "inductor");
    const std::string what = fmt::format("{} {} {} {} {} {:x}", device_name(options.device), request.device,
                                         request.mode, request.threads, TORCH_VERSION, hash_of(kCompileScript));
    const std::string key = FileCache::key_of({program}, what);
    std::filesystem::path package = cache.enabled() ? cache.path_of(key + ".pt2") : folder.path() / "compiled.pt2";
    std::error_code error;
    if (std::filesystem::is_regular_file(package, error)) {
      try {
        return make_session(graph, package, pt2::read_package(package), options, device);
      } catch (const Error& damaged) {  // compiled again
        if (damaged.kind() == ErrorKind::kOutOfMemory) throw;
      }
    }
    std::filesystem::path log = cache.enabled() ? cache.path_of(key + ".log") : folder.path() / "compile.log";
    compile(find_python(TORCH_VERSION), request, program, package, log, options.progress);
    return make_session(graph, package, pt2::read_package(package), options, device);
  }
};

}  // namespace
}  // namespace nongemm::inductor_flow

extern "C" __attribute__((visibility("default"))) nongemm::Flow* nongemm_create_flow() {
  return new nongemm::inductor_flow::InductorFlow();
}
