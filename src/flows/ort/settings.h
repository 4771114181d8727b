// The flow's own settings, from RunOptions.
#pragma once

#include "flows/flow.h"
#include "flows/ort/onnxruntime.h"

namespace nongemm::ort_flow {

struct Settings {
  GraphOptimizationLevel level = ORT_ENABLE_ALL;
  int cuda_device = -1;  // -1 for the host
  int threads = 0;
  bool allow_tf32 = false;
  bool exact_int8 = false;
  std::vector<std::string> operators;  // libraries with operators for ONNX Runtime

  bool on_cuda() const { return cuda_device >= 0; }
};

/// What description.cpp declares, and what every flow is told.
Settings read_settings(const RunOptions& options);

/// Options of a session, without anything of the model.
/// @throws Error(kUnsupported) when the library was built without the provider, or the provider cannot be loaded
Ort::SessionOptions session_options(const Settings& settings);

}  // namespace nongemm::ort_flow
