#include "flows/ort/settings.h"

#include <array>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "flows/ort/errors.h"
#include "flows/ort/library.h"

namespace nongemm::ort_flow {
namespace {

GraphOptimizationLevel read_level(const std::string& name) {
  static constexpr std::array kLevels = {
      std::pair{"none", ORT_DISABLE_ALL},
      std::pair{"basic", ORT_ENABLE_BASIC},
      std::pair{"extended", ORT_ENABLE_EXTENDED},
      std::pair{"all", ORT_ENABLE_ALL},
  };
  std::vector<std::string> names;
  for (const auto& [known, level] : kLevels) {
    if (name == known) return level;
    names.emplace_back(known);
  }
  throw Error(ErrorKind::kUsage, "unknown optimisation level '" + name + "' of ONNX Runtime",
              did_you_mean(name, names));
}

/// Libraries of torch operators are given for the torch flow of the same sweep.
bool is_operator_library(const std::string& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  return bytes.find("RegisterCustomOps") != std::string_view::npos;
}

/// Frees what CreateCUDAProviderOptions made.
struct CudaOptions {
  OrtCUDAProviderOptionsV2* options = nullptr;

  CudaOptions() { Ort::ThrowOnError(Ort::GetApi().CreateCUDAProviderOptions(&options)); }
  ~CudaOptions() { Ort::GetApi().ReleaseCUDAProviderOptions(options); }
  CudaOptions(const CudaOptions&) = delete;
  CudaOptions& operator=(const CudaOptions&) = delete;
};

void add_cuda(const Settings& settings, Ort::SessionOptions& session) {
  if (!Library::get().has_provider("CUDAExecutionProvider")) {
    throw Error(ErrorKind::kUnsupported, "ONNX Runtime " + Library::get().version() + " was built without CUDA",
                "name a wheel of onnxruntime-gpu, unpacked, in NONGEMM_ORT");
  }
  CudaOptions cuda;
  const std::string device = std::to_string(settings.cuda_device);
  const std::array<const char*, 2> keys = {"device_id", "use_tf32"};
  const std::array<const char*, 2> values = {device.c_str(), settings.allow_tf32 ? "1" : "0"};
  Ort::ThrowOnError(Ort::GetApi().UpdateCUDAProviderOptions(cuda.options, keys.data(), values.data(), keys.size()));
  session.AppendExecutionProvider_CUDA_V2(*cuda.options);
}

}  // namespace

Settings read_settings(const RunOptions& options) {
  Settings settings;
  settings.threads = options.threads;
  settings.allow_tf32 = options.allows_tf32(/*by_default=*/true);
  for (const std::string& library : options.libraries) {
    if (is_operator_library(library)) settings.operators.push_back(library);
  }
  settings.level = read_level(options.setting("ort.level", "all"));
  settings.exact_int8 = options.setting("ort.int8") == "exact";
  if (options.device.kind == DeviceKind::kCuda) settings.cuda_device = options.device.index;
  return settings;
}

Ort::SessionOptions session_options(const Settings& settings) {
  Ort::SessionOptions session;
  session.SetGraphOptimizationLevel(settings.level);
  session.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
  if (settings.exact_int8) {
    session.AddConfigEntry("session.x64quantprecision", "1");
    // Pairs of QuantizeLinear and DequantizeLinear stay what they say: in 1.30 the line above breaks them where they
    // are made integer products (zero points of scales by column, one constant of two layers).
    session.AddConfigEntry("session.disable_quant_qdq", "1");
  }
  if (settings.threads > 0) session.SetIntraOpNumThreads(settings.threads);
  for (const std::string& library : settings.operators) {
    // A bare name would be searched for in the system's folders.
    const std::string path = std::filesystem::absolute(library).string();
    with_errors("loading the operators of " + library, [&] { session.RegisterCustomOpsLibrary(path.c_str()); });
  }
  if (settings.on_cuda()) with_errors("loading the CUDA provider", [&] { add_cuda(settings, session); });
  return session;
}

}  // namespace nongemm::ort_flow
