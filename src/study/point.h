// One point of a sweep: everything that says what is run, and the run itself. A failed point is a row with its reason.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "models/registry.h"
#include "prepare/prepare.h"
#include "profile/measurement.h"
#include "report/document.h"
#include "study/baseline.h"

namespace nongemm {

struct PointSpec {
  std::string model;
  std::string flow = "torch";
  std::string device = "cpu";
  ModelOptions options;
  bool dtype_given = false;
  WeightSource weights;
  std::string data;
  std::string inputs;  // a safetensors file
  int threads = 0;
  bool tf32 = false;
  std::vector<std::string> libraries;           // with operators of the user's own
  std::string groups;                           // the file that analysis.rules were read from
  bool replay = false;                          // also as a CUDA graph
  bool check = false;                           // compare outputs with the torch flow's
  std::map<std::string, std::string> settings;  // of flows, by name: "ort.level", "tensorrt.level"
  bool limits = true;                           // measure the device's limits, once per device
  bool fresh_limits = false;                    // measure them even when they are known
  MeasurePolicy policy;
  AnalysisOptions analysis;
};

/// The options of `nongemm run` that make this point again; defaults are left out.
std::string command_of(const PointSpec& spec);

using Progress = std::function<void(const std::string& what)>;

/// Never throws for a point that cannot run: its status and reason say why.
/// @param baseline of the sweep's points so far
Point run_point(const PointSpec& spec, const Progress& progress, Baseline& baseline);

/// Static figures only (`nongemm inspect`). Throws what building the graph throws.
Point inspect_point(const PointSpec& spec);

}  // namespace nongemm
