// Scales of activations, found before a model that has them fixed can be built.
#pragma once

#include <string>

#include "passes/calibration.h"
#include "prepare/prepare.h"
#include "spec/run_spec.h"
#include "study/build.h"

namespace nongemm {

/// Whether the run's quantization has scales of activations that are found beforehand: where it is asked for, and for
/// TensorRT, which takes no others. Not for checkpoints that hold their own. Throws Error(kUsage) for those that hold
/// others than are asked for, and for several ranks.
bool wants_calibration(const RunSpec& spec, const Model& model);

struct Calibration {
  passes::InputSteps steps;
  std::string source;  // of the inputs, for reports
};

/// One inference of the model as it is, in the torch flow, with the run's weights, inputs and device.
/// @param options that the graph is built with
/// @param data nothing for synthetic inputs
Calibration calibrate(const RunSpec& spec, const Model& model, const ModelOptions& options, const DataBatch* data,
                      const Progress& progress);

}  // namespace nongemm
