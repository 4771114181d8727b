#include "report/op_sections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "analysis/roofline.h"
#include "report/section_fields.h"

namespace nongemm {
namespace {

/// Of a call that moves or computes nothing there is no rate.
double rate_if_any(double amount, double seconds) { return amount > 0 ? rate(amount, seconds) : kNaN; }

double copy_bandwidth(const OpFigures& f) {
  return f.limits != nullptr ? f.limits->copy_bandwidth.value_or(kNaN) : kNaN;
}

double rate_of_products(const OpFigures& f) { return f.limits != nullptr ? product_rate(f.node, *f.limits) : kNaN; }

double in_model(const OpFigures& f, double InModelFigures::*figure) {
  return f.in_model != nullptr ? f.in_model->*figure : kNaN;
}

/// What the limit of a collective is of.
double transfer_or_time(const OpFigures& f) { return std::isnan(f.transfer_s) ? f.time.median : f.transfer_s; }

std::vector<Field<OpFigures>> op_fields() {
  using F = OpFigures;
  return {
      {{"time", "Time", Unit::kSeconds, "one call, median: its kernels on a device, the call on a host"},
       [](const F& f) { return measured(f.time.median); }},
      {{"spread", "Spread", Unit::kShare, "10th to 90th percentile over the median", false, 2},
       [](const F& f) { return measured(rate(f.time.p90 - f.time.p10, f.time.median)); }},
      {{"time_p10", "p10", Unit::kSeconds, "10th percentile", true}, [](const F& f) { return measured(f.time.p10); }},
      {{"time_p90", "p90", Unit::kSeconds, "90th percentile", true}, [](const F& f) { return measured(f.time.p90); }},
      {{"time_low", "95 % interval, low", Unit::kSeconds,
        "exact interval of the median, by order statistics; absent below six samples", true},
       [](const F& f) { return measured(f.time.interval.low); }},
      {{"time_high", "95 % interval, high", Unit::kSeconds,
        "exact interval of the median, by order statistics; absent below six samples", true},
       [](const F& f) { return measured(f.time.interval.high); }},
      {{"samples", "n", Unit::kCount, "samples of the time", false, 4},
       [](const F& f) -> FieldValue { return f.time.count; }},
      {{"calls_per_sample", "Calls per sample", Unit::kCount, "short calls are made in a row and timed together", true},
       [](const F& f) -> FieldValue { return f.repeat; }},
      {{"wall", "Wall", Unit::kSeconds,
        "wall time of a sample over its calls, what the runtime takes around them included", true},
       [](const F& f) { return measured(f.wall.median); }},
      {{"gap", "Device waits", Unit::kSeconds, "idle device time before each call's kernels, calls in a row", true},
       [](const F& f) { return measured(f.gap_s); }},
      {{"kernels", "Kernels", Unit::kCount, "launched by one call", true},
       [](const F& f) { return measured(f.kernels); }},
      {{"byte_rate", "Bandwidth", Unit::kByteRate, "least traffic over time: operands read once, results written once",
        false, 3},
       [](const F& f) { return measured(rate_if_any(f.node.cost.bytes(), f.time.median)); }},
      {{"bandwidth_share", "of limit", Unit::kShare, "bandwidth over the device's measured copy bandwidth", false, 6},
       [](const F& f) { return measured(rate_if_any(f.node.cost.bytes(), f.time.median) / copy_bandwidth(f)); }},
      {{"transfer", "Transfer", Unit::kSeconds,
        "of a collective between devices: its own kernel on the rank that came last, median", false, 1},
       [](const F& f) { return measured(f.transfer_s); }},
      {{"bus_rate", "Bus bandwidth", Unit::kByteRate,
        "of a collective: what each rank has to send over the transfer, on a host over the time, as nccl-tests count "
        "it",
        false, 1},
       [](const F& f) { return measured(rate_if_any(f.bus_bytes, transfer_or_time(f))); }},
      {{"flop_rate", "Rate", Unit::kFlopRate, "work over time", false, 5},
       [](const F& f) { return measured(rate_if_any(f.node.cost.flops, f.time.median)); }},
      {{"flop_share", "of products", Unit::kShare,
        "rate over the device's measured rate of matrix products in this dtype", true},
       [](const F& f) { return measured(rate_if_any(f.node.cost.flops, f.time.median) / rate_of_products(f)); }},
      {{"limit", "At the limit", Unit::kSeconds,
        "at the device's measured bandwidth or matrix rate, whichever it needs longer for; of a collective, what it "
        "took "
        "at best between these devices",
        true},
       [](const F& f) { return measured(f.node.limit_s > 0 ? f.node.limit_s : kNaN); }},
      {{"distance", "Times the limit", Unit::kRatio,
        "time (of a collective the transfer) over the time at the limit; below 1 where operands stay in a cache"},
       [](const F& f) { return measured(rate(transfer_or_time(f), f.node.limit_s)); }},
      {{"group", "Group", Unit::kText, "operator group", true},
       [](const F& f) { return text_if_any(info(f.node.group).title); }},
      {{"variant", "Variant", Unit::kText, "the operator's common name", true},
       [](const F& f) { return text_if_any(f.node.variant); }},
      {{"flops", "Work", Unit::kFlops, "floating point operations of one call", true},
       [](const F& f) { return measured(f.node.cost.flops); }},
      {{"bytes", "Bytes", Unit::kBytes, "least traffic of one call", true},
       [](const F& f) { return measured(f.node.cost.bytes()); }},
      {{"in_model", "In the model", Unit::kSeconds, "the same call there, mean over its nodes, waits not counted"},
       [](const F& f) { return measured(in_model(f, &InModelFigures::time_s)); }},
      {{"in_model_calls", "Calls there", Unit::kCount, "of one inference", true},
       [](const F& f) { return measured(in_model(f, &InModelFigures::calls)); }},
      {{"in_model_gap", "Waits there", Unit::kSeconds, "the device waited before each of these calls", true},
       [](const F& f) { return measured(in_model(f, &InModelFigures::gap_s)); }},
      {{"in_model_ratio", "In model / alone", Unit::kRatio, "time and waits there over the time here"},
       [](const F& f) { return measured(f.in_model != nullptr ? rate(f.in_model->total_s(), f.time.median) : kNaN); }},
      {{"cold", "Cold cache", Unit::kSeconds, "alone, caches written over before each call", true},
       [](const F& f) { return measured(in_model(f, &InModelFigures::cold_s)); }},
      {{"cause", "Cause", Unit::kText, "of a difference of more than 20 %, where it can be told"},
       [](const F& f) { return f.in_model != nullptr ? text_if_any(f.in_model->cause) : FieldValue{}; }},
      {{"example", "Module", Unit::kText, "one of the modules that make this call", true},
       [](const F& f) { return f.in_model != nullptr ? text_if_any(f.in_model->example) : FieldValue{}; }},
      {{"stopping_rule", "Stopping rule", Unit::kText, "when the samples were enough", true},
       [](const F& f) { return text_if_any(f.stopping_rule); }},
      {{"how", "Records", Unit::kText, "what the times are taken from", true},
       [](const F& f) { return text_if_any(f.how); }},
  };
}

const Section<OpFigures>& op_section() {
  static const Section<OpFigures> section({.id = "op",
                                           .title = "Operator",
                                           .doc = "One operator alone, with these operands.",
                                           .report = ReportKind::kPerformance,
                                           .single_row = true,
                                           .columns = {}},
                                          op_fields());
  return section;
}

/// What tells the points of a sweep apart; ids are those of Point::settings.
constexpr std::array kLabels = {
    Column{"operator", "Operator", Unit::kText, "schema name and overload"},
    Column{"shapes", "Shapes", Unit::kText, "of the tensor operands"},
    Column{"attributes", "Attributes", Unit::kText, "other operands that are not the schema's defaults"},
    Column{"dtype", "Dtype", Unit::kText, "of the first tensor operand"},
    Column{"layout", "Layout", Unit::kText, "of the first tensor operand in memory", false, 1},
    Column{"flow", "Flow", Unit::kText, "deployment flow"},
    Column{"device", "Device", Unit::kText, "as --device takes it"},
    Column{"cache", "Cache", Unit::kText,
           "hot: calls in a row on the same operands; cold: written over before each call"},
    Column{"model", "Model", Unit::kText, "that the call was taken from"},
    Column{"status", "Status", Unit::kText, "ok, or why there are no figures"},
};

/// @param hidden ids of figures that the terminal has no room for
SectionInfo rows_info(std::string_view id, std::string_view title, std::string_view doc,
                      std::initializer_list<std::string_view> hidden) {
  SectionInfo info{
      .id = id, .title = title, .doc = doc, .report = ReportKind::kPerformance, .single_row = false, .columns = {}};
  info.columns.assign(kLabels.begin(), kLabels.end());
  const std::vector<Column>& figures = op_section().info().columns;
  info.columns.insert(info.columns.end(), figures.begin(), figures.end());
  for (Column& column : info.columns) {
    column.wide = column.wide || std::find(hidden.begin(), hidden.end(), column.id) != hidden.end();
  }
  return info;
}

const SectionInfo& rows_section() {
  static const SectionInfo section = rows_info("op_rows", "Operators", "One row per call.", {"cause", "in_model"});
  return section;
}

const SectionInfo& differences_section() {
  static const SectionInfo section = rows_info(
      "op_differences", "Other than in the model",
      "Calls that take at least 20 % more or less time alone than in the model, those first that differ most per "
      "inference.",
      {"status", "spread", "samples", "byte_rate", "bandwidth_share", "flop_rate", "distance"});
  return section;
}

bool is_call(const Point& point) {
  // A call that could not be measured has its settings all the same.
  const bool one_table = point.tables.empty() || (point.tables.size() == 1 && point.tables[0].info->id == "op");
  return one_table && !point.setting("operator").empty();
}

double number_at(const std::vector<FieldValue>& row, std::string_view column) {
  const std::vector<Column>& columns = rows_section().columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].id != column) continue;
    const auto* number = std::get_if<double>(&row[c]);
    return number != nullptr ? *number : kNaN;
  }
  return kNaN;
}

/// What an inference would change by if the call took as long there as alone, either way.
double difference(const std::vector<FieldValue>& row) {
  return std::abs(number_at(row, "in_model_ratio") - 1) * number_at(row, "time") * number_at(row, "in_model_calls");
}

bool differs(const std::vector<FieldValue>& row) {
  constexpr double kMost = 0.2;
  const double both = number_at(row, "in_model_ratio");
  return both > 1 + kMost || both < 1 / (1 + kMost);
}

std::vector<FieldValue> row_of(const Point& point, const std::vector<bool>& varies) {
  std::vector<FieldValue> row;
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    const std::string value =
        kLabels[i].id == "status" ? std::string(name_of(point.status.kind)) : point.setting(kLabels[i].id);
    row.push_back(varies[i] && !value.empty() ? FieldValue(value) : FieldValue{});
  }
  if (point.tables.empty()) {
    row.resize(rows_section().columns.size());
  } else {
    const std::vector<FieldValue>& figures = point.tables[0].rows.at(0);
    row.insert(row.end(), figures.begin(), figures.end());
  }
  return row;
}

std::string reasons_of(const Document& document) {
  constexpr int kMost = 10;
  std::string text;
  int count = 0;
  for (const Point& point : document.points) {
    if (point.status.ok()) continue;
    if (++count > kMost) continue;
    const std::string what =
        point.setting("operator") + " " + point.setting("shapes") + " (" + point.setting("flow") + ")";
    text += (text.empty() ? "" : "\n  ") + what + ": " + std::string(name_of(point.status.kind)) + ", " +
            point.status.reason;
  }
  return count > kMost ? text + "\n  and " + std::to_string(count - kMost) + " more" : text;
}

}  // namespace

const std::vector<const SectionInfo*>& op_section_infos() {
  static const std::vector<const SectionInfo*> kAll = {&op_section().info(), &rows_section(), &differences_section()};
  return kAll;
}

Table make_op_table(const OpFigures& figures) { return op_section().fill(std::span(&figures, 1)); }

bool is_sweep_of_calls(const Document& document) {
  return document.points.size() > 1 && std::all_of(document.points.begin(), document.points.end(), is_call);
}

Document calls_as_rows(const Document& document) {
  const Point& first = document.points.front();
  const auto same = [&](auto&& value_of) {
    return std::all_of(document.points.begin(), document.points.end(),
                       [&](const Point& point) { return value_of(point) == value_of(first); });
  };
  Point rows;
  std::vector<bool> varies;
  for (const Column& label : kLabels) {
    if (label.id == "status") {
      varies.push_back(!same([](const Point& point) { return point.status.kind; }) || !first.status.ok());
      continue;
    }
    varies.push_back(!same([&](const Point& point) { return point.setting(label.id); }));
    const std::string value = first.setting(label.id);
    if (!varies.back() && !value.empty()) rows.settings.emplace_back(label.id, value);
  }
  rows.status.reason = reasons_of(document);
  if (!rows.status.reason.empty()) {
    const auto bad = std::find_if(document.points.begin(), document.points.end(),
                                  [](const Point& point) { return !point.status.ok(); });
    rows.status.kind = bad->status.kind;
  }
  Table all{&rows_section(), {}};
  for (const Point& point : document.points) all.rows.push_back(row_of(point, varies));
  Table differences{&differences_section(), {}};
  std::copy_if(all.rows.begin(), all.rows.end(), std::back_inserter(differences.rows), differs);
  std::stable_sort(differences.rows.begin(), differences.rows.end(),
                   [](const auto& a, const auto& b) { return difference(a) > difference(b); });
  rows.tables.push_back(std::move(all));
  if (!differences.rows.empty()) rows.tables.push_back(std::move(differences));
  return Document{document.context, {std::move(rows)}};
}

}  // namespace nongemm
