#include "flows/tensorrt/builder.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "flows/progress.h"
#include "flows/tensorrt/logger.h"

namespace nongemm::tensorrt {
namespace {

#if NV_TENSORRT_MAJOR >= 10
/// The builder's own word on how far it is.
class Monitor : public nvinfer1::IProgressMonitor {
 public:
  explicit Monitor(Ticker& ticker) : ticker_(ticker) {}
  void phaseStart(char const* phase, char const*, std::int32_t) noexcept override { tell(phase); }
  bool stepComplete(char const*, std::int32_t) noexcept override { return true; }
  void phaseFinish(char const*) noexcept override {}

 private:
  void tell(char const* phase) noexcept {
    try {
      ticker_.set_detail(phase);
    } catch (...) {  // out of memory: no detail then
    }
  }
  Ticker& ticker_;
};
#endif

void parse(const Library& library, nvinfer1::INetworkDefinition& network, const std::filesystem::path& model,
           ParserPointer& parser) {
  parser = library.parser(network);
  if (parser->parseFromFile(model.c_str(), static_cast<int>(nvinfer1::ILogger::Severity::kWARNING))) return;
  std::string reason;
  for (int i = 0; i < parser->getNbErrors() && i < 3; ++i) {
    reason += (i == 0 ? "" : "; ") + describe(*parser->getError(i));
  }
  const std::string logged = logger().take_errors();
  throw Error(ErrorKind::kUnsupported, "TensorRT's parser refuses the model: " + (reason.empty() ? logged : reason));
}

/// An engine is built for one size.
void fix_sizes(const std::map<std::string, Shape>& inputs, nvinfer1::INetworkDefinition& network) {
  for (int i = 0; i < network.getNbInputs(); ++i) {
    nvinfer1::ITensor& input = *network.getInput(i);
    const auto shape = inputs.find(input.getName());
    nvinfer1::Dims dims = input.getDimensions();
    if (shape == inputs.end() || dims.nbDims != static_cast<int>(shape->second.size())) continue;
    for (int d = 0; d < dims.nbDims; ++d) {
      dims.d[d] = static_cast<std::remove_reference_t<decltype(dims.d[d])>>(shape->second[static_cast<std::size_t>(d)]);
    }
    input.setDimensions(dims);
  }
}

void set_precision(const BuildOptions& options, nvinfer1::INetworkDefinition& network,
                   nvinfer1::IBuilderConfig& config) {
  if (!options.allow_tf32) config.clearFlag(nvinfer1::BuilderFlag::kTF32);
  if (options.dtype == DType::kFloat16 || options.fp16) allow_fp16(config);
  if (options.dtype == DType::kBFloat16) allow_bf16(config);
  if (options.quantized) take_quantized_layers(config);
  if (options.int8 && !allow_int8(network, config)) {
    throw Error(ErrorKind::kUnsupported, "TensorRT 11 takes int8 from the model's own quantization only");
  }
}

}  // namespace

std::string BuildOptions::text() const {
  return fmt::format("{}{}{}{}{} level {}", name_of(dtype), allow_tf32 ? " TF32" : "", fp16 ? " fp16" : "",
                     int8 ? " int8" : "", quantized ? " quantized" : "", level);
}

BuildOptions build_options(DType dtype, bool allow_tf32, const std::map<std::string, std::string>& settings) {
  BuildOptions options{dtype, allow_tf32};
  if (const auto precision = settings.find("tensorrt.precision"); precision != settings.end()) {
    options.fp16 = precision->second == "fp16" || precision->second == "int8";
    options.int8 = precision->second == "int8";
    if (!options.fp16)
      throw Error(ErrorKind::kUsage, "tensorrt.precision is '" + precision->second + "'", "fp16 or int8");
    if (kOnlyStronglyTyped) {
      throw Error(ErrorKind::kUnsupported, "TensorRT 11 takes the precision from the model", "run with --dtype fp16");
    }
  }
  if (const auto level = settings.find("tensorrt.level"); level != settings.end()) {
    const std::string& text = level->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.level);
    if (error != std::errc() || end != text.data() + text.size() || options.level < 0 || options.level > 5) {
      throw Error(ErrorKind::kUsage, "tensorrt.level is '" + text + "'", "0 (fast to build) to 5 (fast to run)");
    }
  }
  return options;
}

std::string build_engine(const Library& library, const std::filesystem::path& model,
                         const std::map<std::string, Shape>& inputs, const BuildOptions& options,
                         const FileCache& cache, const std::string& timing_cache,
                         const std::function<void(const std::string&)>& say) {
  Ticker ticker(say, "building the TensorRT engine");
  logger().take_errors();  // earlier models' ones
  const auto builder = library.builder();
  const std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(network_flags()));
  if (network == nullptr) fail("TensorRT gives no network");
  // Weights stay with the parser until the engine is built.
  ParserPointer parser;
  parse(library, *network, model, parser);
  fix_sizes(inputs, *network);

  const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
  if (config == nullptr) fail("TensorRT gives no builder configuration");
  set_precision(options, *network, *config);
  if (options.level >= 0) set_optimization_level(*config, options.level);
  config->setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);
#if NV_TENSORRT_MAJOR >= 10
  Monitor monitor(ticker);
  config->setProgressMonitor(&monitor);
#endif
  const std::string known_times = cache.read(timing_cache).value_or("");
  std::unique_ptr<nvinfer1::ITimingCache> times(config->createTimingCache(known_times.data(), known_times.size()));
  // One of another version is refused; an empty one is as good as none.
  if (times == nullptr) times.reset(config->createTimingCache(nullptr, 0));
  if (times != nullptr) config->setTimingCache(*times, /*ignoreMismatch=*/false);

  const std::unique_ptr<nvinfer1::IHostMemory> engine(builder->buildSerializedNetwork(*network, *config));
  if (engine == nullptr) fail("TensorRT cannot build an engine of the model");
  if (const nvinfer1::ITimingCache* used = config->getTimingCache(); used != nullptr && cache.enabled()) {
    const std::unique_ptr<nvinfer1::IHostMemory> bytes(used->serialize());
    if (bytes != nullptr) cache.write(timing_cache, {static_cast<const char*>(bytes->data()), bytes->size()});
  }
  return {static_cast<const char*>(engine->data()), engine->size()};
}

}  // namespace nongemm::tensorrt
