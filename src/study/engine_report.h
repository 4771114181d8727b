// A report from the files that trtexec wrote of an engine elsewhere. Needs neither TensorRT nor a GPU.
#pragma once

#include <optional>
#include <string>

#include "analysis/analysis.h"
#include "report/document.h"
#include "study/point.h"

namespace nongemm {

struct EngineFiles {
  std::string profile;  // --exportProfile
  std::string layers;   // --exportLayerInfo
  std::string times;    // --exportTimes; may be empty
  /// The model the engine was built from: an ONNX file, or empty when it is not at hand.
  std::string onnx;
};

/// @param spec a model of this program that was exported by it; absent otherwise
/// @throws Error (kBadInput, kIo) naming the file
Point engine_point(const EngineFiles& files, const std::optional<PointSpec>& spec, const AnalysisOptions& options);

}  // namespace nongemm
