#include "report/sweep_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "base/statistics.h"
#include "report/section_fields.h"

namespace nongemm {
namespace {

/// A point, with the processes that measured it.
using Processes = std::vector<const Point*>;

/// Settings with a column of their own, and the options behind them; further options that differ share a column.
struct OwnColumn {
  std::string_view setting;
  std::string_view option;
};
constexpr std::array kOwnColumns = {OwnColumn{"model", "model"},   OwnColumn{"flow", "flow"},
                                    OwnColumn{"device", "device"}, OwnColumn{"dtype", "dtype"},
                                    OwnColumn{"batch", "batch"},   OwnColumn{"sequence", "seq-len"}};

struct SweepRow {
  Processes processes;
  std::vector<std::string> labels;  // of kOwnColumns, empty where all points agree
  std::string others;               // "threads 2, ort.level basic"

  const Point& first() const { return *processes.front(); }
};

/// A point's own figures: of an inference, or of a text generation.
const Table* figures_of(const Point& point) {
  const Table* table = find_table(point, "performance");
  return table != nullptr ? table : find_table(point, "generation");
}

FieldValue figure_of(const Point& point, std::string_view column) {
  const Table* table = figures_of(point);
  return table == nullptr ? FieldValue{} : value_at(*table, 0, column);
}

std::vector<double> numbers_of(const SweepRow& row, std::string_view column) {
  std::vector<double> numbers;
  for (const Point* point : row.processes) {
    const Table* table = figures_of(*point);
    const double number = table == nullptr ? kNaN : number_at(*table, 0, column);
    if (!std::isnan(number)) numbers.push_back(number);
  }
  return numbers;
}

/// The median over processes.
FieldValue middle_of(const SweepRow& row, std::string_view column) { return measured(median(numbers_of(row, column))); }

/// Of one process the interval of its median; of several their lowest or highest median.
FieldValue end_of_range(const SweepRow& row, std::string_view column, double fraction) {
  return row.processes.size() == 1 ? figure_of(row.first(), column)
                                   : measured(quantile(numbers_of(row, "latency"), fraction));
}

std::string status_of(const SweepRow& row) {
  std::string text;
  for (const Point* point : row.processes) {
    const std::string_view name = name_of(point->status.kind);
    if (text.find(name) == std::string::npos) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

template <std::size_t kIndex>
FieldValue label(const SweepRow& row) {
  return text_if_any(row.labels[kIndex]);
}

/// What tells points apart.
std::vector<Field<SweepRow>> label_fields() {
  return {
      {{"model", "Model", Unit::kText, "that was run"}, label<0>},
      {{"flow", "Flow", Unit::kText, "deployment flow"}, label<1>},
      {{"device", "Device", Unit::kText, "that it ran on"}, label<2>},
      {{"dtype", "Dtype", Unit::kText, "of the weights"}, label<3>},
      {{"batch", "Batch", Unit::kText, "samples per inference"}, label<4>},
      {{"seq_len", "Length", Unit::kText, "tokens per sample"}, label<5>},
      {{"others", "Other settings", Unit::kText, "that differ between points"},
       [](const SweepRow& r) { return text_if_any(r.others); }},
  };
}

const Section<SweepRow>& sweep_section() {
  using R = SweepRow;
  static const Section<R> section(
      {.id = "sweep",
       .title = "All points",
       .doc = "Points of the sweep side by side. What all have in common has no column.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined<R>(
          label_fields(),
          {
              {{"processes", "Processes", Unit::kCount, "that measured the point, where there are several", false, 4},
               [](const R& r) -> FieldValue {
                 return r.processes.size() > 1 ? count(static_cast<std::int64_t>(r.processes.size())) : FieldValue{};
               }},
              {{"latency", "Latency (median)", Unit::kSeconds,
                "wall time of one inference; of several processes the median"},
               [](const R& r) { return middle_of(r, "latency"); }},
              {{"latency_low", "Low", Unit::kSeconds,
                "of one process the 95 % interval of its median, of several their lowest median", false, 3},
               [](const R& r) { return end_of_range(r, "latency_low", 0); }},
              {{"latency_high", "High", Unit::kSeconds,
                "of one process the 95 % interval of its median, of several their highest median", false, 3},
               [](const R& r) { return end_of_range(r, "latency_high", 1); }},
              {{"throughput", "Samples", Unit::kPerSecond, "batch over median latency", false, 6},
               [](const R& r) { return middle_of(r, "throughput"); }},
              {{"nongemm_share", "Non-GEMM", Unit::kShare, "share of the node pass in operators other than GEMM"},
               [](const R& r) { return middle_of(r, "nongemm_share"); }},
              {{"gap_share", "Device waits", Unit::kShare, "share in which the device had nothing to do", false, 1},
               [](const R& r) { return middle_of(r, "gap_share"); }},
              {{"dominant_group", "Dominant group", Unit::kText, "the non-GEMM group with the most time", false, 2},
               [](const R& r) { return figure_of(r.first(), "dominant_group"); }},
              {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once", false, 5},
               [](const R& r) { return middle_of(r, "peak_memory"); }},
              {{"status", "Status", Unit::kText, "ok, or why there are no figures"},
               [](const R& r) { return text(status_of(r)); }},
          }));
  return section;
}

const Section<SweepRow>& generation_sweep_section() {
  using R = SweepRow;
  static const Section<R> section(
      {.id = "generation_sweep",
       .title = "All generations",
       .doc = "Text generations of the sweep side by side: how tokens grow with the context, the batch, the cache.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined<R>(label_fields(),
                {
                    {{"prompt", "Prompt", Unit::kCount, "tokens per sample"},
                     [](const R& r) { return figure_of(r.first(), "prompt"); }},
                    {{"first_token", "First token", Unit::kSeconds, "wall time of the prompt's pass; median"},
                     [](const R& r) { return middle_of(r, "first_token"); }},
                    {{"token", "Per token", Unit::kSeconds, "wall time of one further token; median"},
                     [](const R& r) { return middle_of(r, "token"); }},
                    {{"token_p90", "p90", Unit::kSeconds, "90th percentile", false, 2},
                     [](const R& r) { return middle_of(r, "token_p90"); }},
                    {{"replayed_token", "Replayed", Unit::kSeconds, "per token with the step as a CUDA graph; median"},
                     [](const R& r) { return middle_of(r, "replayed_token"); }},
                    {{"token_rate", "Tokens", Unit::kPerSecond, "of all samples, after the first", false, 1},
                     [](const R& r) { return middle_of(r, "token_rate"); }},
                    {{"distance", "Times the limit", Unit::kRatio, "a step over reading its weights and cache once"},
                     [](const R& r) { return middle_of(r, "distance"); }},
                    {{"cache_bytes", "Cache read", Unit::kBytes, "by the measured step", false, 4},
                     [](const R& r) { return middle_of(r, "cache_bytes"); }},
                    {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once", false, 3},
                     [](const R& r) { return middle_of(r, "peak_memory"); }},
                    {{"status", "Status", Unit::kText, "ok, or why there are no figures"},
                     [](const R& r) { return text(status_of(r)); }},
                }));
  return section;
}

/// Rows in the order of their first process.
std::vector<SweepRow> rows_of(const Document& document) {
  std::vector<SweepRow> rows;
  std::map<std::string, std::size_t> known;
  for (const Point& point : document.points) {
    const bool several = point.process > 0 && !point.key.empty();
    const auto [at, is_new] = several ? known.try_emplace(point.key, rows.size()) : std::pair{known.end(), true};
    if (is_new) {
      rows.push_back({{&point}, {}, {}});
    } else {
      rows[at->second].processes.push_back(&point);
    }
  }
  return rows;
}

std::string asked(const Point& point, std::string_view option) {
  for (const OptionValue& value : point.specification) {
    if (value.name == option) return fmt::format("{}", fmt::join(value.texts, " "));
  }
  return "";
}

/// A setting of a flow or a scheme ("quantize.way") that has its default is no difference to a point that has no such
/// setting: only where it was given it stands among the point's settings.
std::string asked_or_default(const Point& point, const std::string& option) {
  const bool is_setting = option.find('.') != std::string::npos;
  return is_setting && point.setting(option).empty() ? "" : asked(point, option);
}

/// What the model decided goes before what was asked for: a point that failed has no more than that.
std::string own_value(const Point& point, const OwnColumn& column) {
  std::string value = point.setting(column.setting);
  return value.empty() ? asked(point, column.option) : value;
}

/// Options without a column of their own, in the order of their first mention.
std::vector<std::string> other_options(const std::vector<SweepRow>& rows) {
  std::vector<std::string> names;
  for (const SweepRow& row : rows) {
    for (const OptionValue& value : row.first().specification) {
      const bool own = std::any_of(kOwnColumns.begin(), kOwnColumns.end(),
                                   [&](const OwnColumn& column) { return column.option == value.name; });
      if (!own && std::find(names.begin(), names.end(), value.name) == names.end()) names.push_back(value.name);
    }
  }
  return names;
}

template <typename ValueOf>
bool all_agree(const std::vector<SweepRow>& rows, ValueOf&& value_of) {
  return std::all_of(rows.begin(), rows.end(),
                     [&](const SweepRow& row) { return value_of(row.first()) == value_of(rows.front().first()); });
}

/// Puts what differs into the rows. @return what all have in common
std::vector<std::pair<std::string, std::string>> put_labels(std::vector<SweepRow>& rows) {
  std::vector<std::pair<std::string, std::string>> common;
  for (const OwnColumn& column : kOwnColumns) {
    const auto value_of = [&](const Point& point) { return own_value(point, column); };
    const bool same = rows.size() > 1 && all_agree(rows, value_of);
    for (SweepRow& row : rows) row.labels.push_back(same ? "" : value_of(row.first()));
    const std::string value = value_of(rows.front().first());
    if (same && !value.empty()) common.emplace_back(column.setting, value);
  }
  for (const std::string& name : other_options(rows)) {
    const auto value_of = [&](const Point& point) { return asked_or_default(point, name); };
    if (all_agree(rows, value_of)) continue;
    for (SweepRow& row : rows) {
      const std::string value = value_of(row.first());
      if (!value.empty()) row.others += fmt::format("{}{} {}", row.others.empty() ? "" : ", ", name, value);
    }
  }
  return common;
}

std::string label_of(const SweepRow& row) {
  std::string text;
  for (const std::string& label : row.labels) {
    if (!label.empty()) text += (text.empty() ? "" : " ") + label;
  }
  if (!row.others.empty()) text += (text.empty() ? "" : " ") + row.others;
  return text;
}

/// Which points have no figures, and why.
Status status_of(const std::vector<SweepRow>& rows) {
  constexpr std::size_t kMost = 10;
  Status status;
  std::size_t count = 0;
  for (const SweepRow& row : rows) {
    for (const Point* point : row.processes) {
      if (point->status.ok()) continue;
      if (status.ok()) status.kind = point->status.kind;
      if (++count > kMost) continue;
      status.reason += fmt::format("{}{}: {}, {}", count == 1 ? "" : "\n  ", label_of(row), name_of(point->status.kind),
                                   point->status.reason);
    }
  }
  if (count > kMost) status.reason += fmt::format("\n  and {} more", count - kMost);
  return status;
}

}  // namespace

const std::vector<const SectionInfo*>& sweep_section_infos() {
  static const std::vector<const SectionInfo*> kAll = {&sweep_section().info(), &generation_sweep_section().info()};
  return kAll;
}

namespace {

bool begins_with(const Point& point, std::string_view section) {
  return !point.tables.empty() && point.tables.front().info->id == section;
}

/// Points with figures that are generations; a sweep of these and of inferences has no common columns.
bool is_of_generations(const Document& document) {
  return std::any_of(document.points.begin(), document.points.end(),
                     [](const Point& point) { return begins_with(point, "generation"); });
}

}  // namespace

bool is_sweep_of_runs(const Document& document) {
  const std::string_view first = is_of_generations(document) ? "generation" : "performance";
  const auto is_run = [first](const Point& point) {
    const bool measured = point.tables.empty() || begins_with(point, first);
    return measured && !point.setting("model").empty() && point.setting("operator").empty();
  };
  return document.points.size() > 1 && std::all_of(document.points.begin(), document.points.end(), is_run);
}

Document runs_as_rows(const Document& document) {
  std::vector<SweepRow> rows = rows_of(document);
  Point all;
  all.settings = {{"points", fmt::format("{} point{}", rows.size(), rows.size() == 1 ? "" : "s")}};
  for (auto& setting : put_labels(rows)) all.settings.push_back(std::move(setting));
  all.status = status_of(rows);
  all.tables = {is_of_generations(document) ? generation_sweep_section().fill(rows) : sweep_section().fill(rows)};
  return Document{document.context, {std::move(all)}};
}

Document with_overview(const Document& document) {
  if (!is_sweep_of_runs(document)) return document;
  Document result = runs_as_rows(document);
  result.points.insert(result.points.end(), document.points.begin(), document.points.end());
  return result;
}

}  // namespace nongemm
