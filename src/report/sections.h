// The field table: what each section of a report holds. A new figure is one line in its report's *_sections.cpp.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/fusion.h"
#include "analysis/roofline.h"
#include "data/dataset.h"
#include "profile/device_pass.h"
#include "profile/measurement.h"
#include "report/field.h"

namespace nongemm {

/// What the figures of one run are made from.
struct RunFigures {
  const Graph* graph = nullptr;
  const Analysis* analysis = nullptr;
  const Measurement* measurement = nullptr;   // null for a static report
  std::int64_t batch = 0;                     // samples of an inference; 0 where that is not known
  std::int64_t tokens = 0;                    // per sample; 0 for vision
  const Roofline* roofline = nullptr;         // null without measured limits
  const DeviceLimits* limits = nullptr;       // null without measured limits
  const ReplayMeasurement* replay = nullptr;  // null without --cuda-graph
  const Analysis* replay_analysis = nullptr;
  const FusionAnalysis* fusion = nullptr;                             // null for flows that run node by node
  double setup_s = std::numeric_limits<double>::quiet_NaN();          // graph, weights, inputs
  std::optional<data::PreprocessTimes> preprocessing = std::nullopt;  // of one batch; none with synthetic inputs
};

/// All tables of a run: performance, workload and nongemm reports. Without a measurement only the static ones.
std::vector<Table> make_tables(const RunFigures& figures);

}  // namespace nongemm
