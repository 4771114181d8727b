// The field table: what each section of a report holds. A new figure is one line in its report's *_sections.cpp.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/fusion.h"
#include "analysis/roofline.h"
#include "record/preprocess_times.h"
#include "record/record.h"
#include "record/timeline.h"
#include "report/field.h"

namespace nongemm {

/// What the figures of one run are made from.
struct RunFigures {
  const Record* record = nullptr;                               // without phases for a static report
  const Analysis* analysis = nullptr;                           // of the inference
  std::int64_t batch = 0;                                       // samples of an inference; 0 where that is not known
  std::int64_t tokens = 0;                                      // per sample; 0 for vision
  const Roofline* roofline = nullptr;                           // null without measured limits
  const Analysis* replay_analysis = nullptr;                    // null without a replay in the record
  const FusionAnalysis* fusion = nullptr;                       // null for flows that run node by node
  double setup_s = std::numeric_limits<double>::quiet_NaN();    // graph, weights, inputs
  std::optional<PreprocessTimes> preprocessing = std::nullopt;  // of one batch; none with synthetic inputs
  std::size_t most_records = kRecordsKept;
  std::vector<std::string> cautions = {};  // what is known against the figures beside `doubts_of`
  const Timeline* timeline = nullptr;      // null: of the record's own example, with so many entries of each kind

  /// nullptr where nothing was run.
  const Phase* inference() const { return record->find(PhaseKind::kInference); }
  const Phase* replay() const { return record->find(PhaseKind::kReplay); }
  /// Of the device that was measured; nullptr when they are not known.
  const DeviceLimits* limits() const {
    const bool known = !record->devices.empty() && record->devices.front().limits;
    return known ? &*record->devices.front().limits : nullptr;
  }
};

/// All tables of a run: performance, workload and nongemm reports. Where nothing was run only the static ones.
std::vector<Table> make_tables(const RunFigures& figures);

}  // namespace nongemm
