// What studies read of recorded points: groups of operators with their times, and the three ways of counting a share.
// A point may have been measured now, be in a journal, or stand in a report of years ago.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/registry.h"
#include "ops/group.h"
#include "report/document.h"
#include "report/study_sections.h"

namespace nongemm {

/// Times of one inference in seconds, 0 where nothing of the kind was recorded.
struct GroupTimes {
  std::string id;  // as in reports
  std::string title;
  bool gemm = false;  // or fused attention
  double time_s = 0;  // kernels on a device, calls on a host
  double gap_s = 0;   // the device had nothing to do until these
  double host_s = 0;  // inside the calls; not told of a host, where it is the time
  double limit_s = kNotMeasured;
  std::int64_t nodes = 0;
};

/// A point of a report.
struct Run {
  const Point* point = nullptr;  // outlives it
  std::string model;
  std::string task;  // empty for models that are not in the registry
  std::string flow;
  std::string device;
  std::string dtype;
  std::string quantize;  // "llm.int8 published"; empty for a model as it is
  bool on_host = false;
  std::int64_t batch = 0;
  std::int64_t tokens = 0;
  bool measured = false;
  double latency_s = kNotMeasured;
  double wall_s = 0;  // of the node pass
  std::vector<GroupTimes> groups;

  /// A figure of a section's first row; NaN where there is none.
  double figure(std::string_view section, std::string_view column) const;
  const GroupTimes* group(std::string_view id) const;
};

using GroupPredicate = std::function<bool(const GroupTimes& group)>;
bool is_nongemm(const GroupTimes& group);
/// The paper has one group of memory operators; so have studies.
bool is_memory(const GroupTimes& group);

/// The share of the groups that `counts` says yes to.
ThreeShares shares_of(const Run& run, const GroupPredicate& counts);
inline ThreeShares nongemm_shares(const Run& run) { return shares_of(run, is_nongemm); }

/// Name of a group in the paper's terms ("Memory" for both of ours), and its share.
struct NamedShare {
  std::string name;
  double share = kNotMeasured;
};
std::string paper_name(const GroupTimes& group);
/// The non-GEMM group with the most in one of the ways of counting. Empty name where that is not measured.
NamedShare dominant(const Run& run, double ThreeShares::*way);
ThreeShares shares_of_named(const Run& run, const std::string& name);

/// The way that is compared with the paper: the published one, else waits charged.
double compared(const ThreeShares& shares);

/// Means of what is measured in all of them.
ThreeShares mean_of(const std::vector<ThreeShares>& shares);

/// Runs of a document, without points of other kinds; of several processes of a point the first.
class Evidence {
 public:
  explicit Evidence(const Document& document);

  const std::vector<Run>& runs() const { return runs_; }
  const std::vector<std::pair<std::string, std::string>>& context() const { return context_; }
  /// A line of the report's context, empty without it.
  std::string context_of(std::string_view key) const;
  std::vector<const Run*> select(const std::function<bool(const Run& run)>& wanted) const;
  /// The first that is measured, else the first; nullptr for none.
  const Run* find(const std::function<bool(const Run& run)>& wanted) const;
  /// Of the paper's own settings: unquantized, PyTorch, on a GPU or a host.
  const Run* torch(const std::string& model, bool on_host, std::int64_t batch = 1) const;

 private:
  std::vector<std::pair<std::string, std::string>> context_;
  std::vector<Run> runs_;
};

/// A row of `study_runs` for each.
std::vector<StudyRunRow> run_rows(const std::vector<const Run*>& runs);

/// Why a run has no figures: its status and reason in one line; nothing for one that has some.
std::string why_not(const Run* run);

}  // namespace nongemm
