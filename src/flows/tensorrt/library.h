// TensorRT's libraries, loaded when the flow is first used.
#pragma once

#include <memory>
#include <string>

#include "flows/tensorrt/api.h"

namespace nongemm::tensorrt {

class Library {
 public:
  /// Loads the libraries at first use: from the folder NONGEMM_TENSORRT, from TENSORRT_ROOT, or wherever the loader
  /// looks.
  /// @throws Error (kUnsupported) naming what is missing and how to get it
  static const Library& get();

  /// "8.6.0", of the library that was found.
  const std::string& version() const { return version_; }

  /// @throws Error (kUnsupported) with TensorRT's reason: no device, another driver
  std::unique_ptr<nvinfer1::IBuilder> builder() const;
  std::unique_ptr<nvinfer1::IRuntime> runtime() const;
  ParserPointer parser(nvinfer1::INetworkDefinition& network) const;

 private:
  Library();

  void* (*create_builder_)(void* logger, std::int32_t version) = nullptr;
  void* (*create_runtime_)(void* logger, std::int32_t version) = nullptr;
  void* (*create_parser_)(void* network, void* logger, int version) = nullptr;
  std::string version_;
};

/// Error(kUnsupported or kFailed): `what` and the errors that TensorRT logged.
[[noreturn]] void fail(const std::string& what, const std::string& way_out = "");

}  // namespace nongemm::tensorrt
