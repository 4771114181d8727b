#include "flows/tensorrt/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "flows/tensorrt/logger.h"

namespace nongemm::tensorrt {
namespace {

constexpr const char* kWayOut =
    "install TensorRT of the version that the flow was built for and name its lib folder in NONGEMM_TENSORRT or "
    "LD_LIBRARY_PATH (docs/tensorrt.md)";

/// Folders to look in before the loader's own; "" is the loader.
std::vector<std::string> folders() {
  std::vector<std::string> found;
  if (const char* named = std::getenv("NONGEMM_TENSORRT")) found.push_back(std::string(named) + "/");
  if (const char* root = std::getenv("TENSORRT_ROOT")) found.push_back(std::string(root) + "/lib/");
  found.emplace_back();
  return found;
}

void* open(const std::string& name) {
  std::string reason;
  const std::string versioned = fmt::format("{}.so.{}", name, NV_TENSORRT_MAJOR);
  for (const std::string& folder : folders()) {
    if (void* library = dlopen((folder + versioned).c_str(), RTLD_LAZY | RTLD_GLOBAL)) return library;
    // The first reason is about the folder that the user named.
    if (reason.empty()) reason = dlerror();
  }
  throw Error(ErrorKind::kUnsupported, "TensorRT cannot be loaded: " + reason, kWayOut);
}

template <typename Function>
Function function_of(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw Error(ErrorKind::kUnsupported, std::string("TensorRT's library has no function ") + name, kWayOut);
  }
  return reinterpret_cast<Function>(symbol);
}

std::string version_text(int number) {
  // 8 and 9 count major * 1000 + minor * 100 + patch, later ones major * 10000 + minor * 100 + patch.
  const int major = number >= 10000 ? number / 10000 : number / 1000;
  return fmt::format("{}.{}.{}", major, number / 100 % (number >= 10000 ? 100 : 10), number % 100);
}

}  // namespace

Library::Library() {
  void* const core = open("libnvinfer");
  // The parser is linked to the plugins; loaded by path here, they are found there by name.
  open("libnvinfer_plugin");
  void* const parser = open("libnvonnxparser");
  version_ = version_text(function_of<std::int32_t (*)()>(core, "getInferLibVersion")());
  create_builder_ = function_of<decltype(create_builder_)>(core, "createInferBuilder_INTERNAL");
  create_runtime_ = function_of<decltype(create_runtime_)>(core, "createInferRuntime_INTERNAL");
  create_parser_ = function_of<decltype(create_parser_)>(parser, "createNvOnnxParser_INTERNAL");
}

const Library& Library::get() {
  static const Library library;
  return library;
}

std::unique_ptr<nvinfer1::IBuilder> Library::builder() const {
  std::unique_ptr<nvinfer1::IBuilder> builder(
      static_cast<nvinfer1::IBuilder*>(create_builder_(&logger(), NV_TENSORRT_VERSION)));
  if (builder == nullptr) fail("TensorRT gives no builder", "check the driver with nvidia-smi");
  return builder;
}

std::unique_ptr<nvinfer1::IRuntime> Library::runtime() const {
  std::unique_ptr<nvinfer1::IRuntime> runtime(
      static_cast<nvinfer1::IRuntime*>(create_runtime_(&logger(), NV_TENSORRT_VERSION)));
  if (runtime == nullptr) fail("TensorRT gives no runtime", "check the driver with nvidia-smi");
  return runtime;
}

ParserPointer Library::parser(nvinfer1::INetworkDefinition& network) const {
  ParserPointer parser(
      static_cast<nvonnxparser::IParser*>(create_parser_(&network, &logger(), NV_ONNX_PARSER_VERSION)));
  if (parser == nullptr) fail("TensorRT gives no ONNX parser");
  return parser;
}

void fail(const std::string& what, const std::string& way_out) {
  const std::string reason = logger().take_errors();
  throw Error(ErrorKind::kUnsupported, what + (reason.empty() ? "" : ": " + reason), way_out);
}

}  // namespace nongemm::tensorrt
