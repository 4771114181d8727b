#include "study/trace_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "analysis/rank_waits.h"
#include "analysis/roofline.h"
#include "analysis/tool_figures.h"
#include "base/error.h"
#include "base/text.h"
#include "report/rank_sections.h"
#include "report/sections.h"
#include "report/trace_sections.h"
#include "spec/device.h"
#include "study/counting.h"
#include "study/limits_cache.h"
#include "traces/read_trace.h"

namespace nongemm {
namespace {

/// The limits that a report of a run holds.
DeviceLimits limits_in(const std::string& report) {
  using Limit = std::optional<double> DeviceLimits::*;
  constexpr std::array kColumns = std::to_array<std::tuple<std::string_view, Limit, double>>(
      {{"copy_bandwidth", &DeviceLimits::copy_bandwidth, 1.0},
       {"read_bandwidth", &DeviceLimits::read_bandwidth, 1.0},
       {"fp32_rate", &DeviceLimits::fp32_rate, 1.0},
       {"tf32_rate", &DeviceLimits::tf32_rate, 1.0},
       {"fp16_rate", &DeviceLimits::fp16_rate, 1.0},
       {"bf16_rate", &DeviceLimits::bf16_rate, 1.0},
       {"int8_rate", &DeviceLimits::int8_rate, 1.0},
       {"launch", &DeviceLimits::launch_ns, 1e9},
       {"shortest", &DeviceLimits::shortest_kernel_s, 1.0},
       {"round_trip", &DeviceLimits::round_trip_ns, 1e9}});
  const Document document = read_document(report);
  for (const Point& point : document.points) {
    for (const Table& table : point.tables) {
      if (table.info->id != "limits" || table.rows.empty()) continue;
      DeviceLimits limits;
      limits.device = report;
      for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
        const FieldValue& value = table.rows.front()[c];
        if (table.info->columns[c].id == "device") limits.device = to_plain(value);
        for (const auto& [column, limit, factor] : kColumns) {
          const auto* number = std::get_if<double>(&value);
          if (column == table.info->columns[c].id && number != nullptr) limits.*limit = *number * factor;
        }
      }
      return limits;
    }
  }
  throw Error(ErrorKind::kBadInput, report + " holds no limits of a device",
              "give a report of nongemm run on that device");
}

std::optional<DeviceLimits> limits_of(const std::string& source) {
  if (source.empty()) return std::nullopt;
  if (source.ends_with(".json")) return limits_in(source);
  std::optional<DeviceLimits> limits = kept_limits(parse_device(source));
  if (!limits) {
    throw Error(
        ErrorKind::kUsage, "the limits of '" + source + "' were not measured here",
        "nongemm run gpt2 --device " + source + " measures and keeps them; or give a report.json of such a run");
  }
  return limits;
}

/// How all files are taken.
struct Taken {
  AnalysisOptions options;
  std::optional<DeviceLimits> limits;
  std::size_t most_records = kRecordsKept;
};

/// What is known against the figures, one sentence each.
using Cautions = std::vector<std::string>;

void check_device(const DeviceLimits& limits, const ToolTrace& trace, Cautions& cautions) {
  const std::vector<std::string>& names = trace.device_names;
  if (names.empty() || std::find(names.begin(), names.end(), limits.device) != names.end()) return;
  cautions.push_back(fmt::format("the limits are of {}, the trace is of {}: distances from them compare two devices",
                                 limits.device, names.front()));
}

/// Files of several ranks of one job: each of another rank, all of one model.
class Ranks {
 public:
  /// Before it is read: a long file is not read for nothing.
  void check_path(const std::string& file) const {
    std::error_code error;
    for (const std::string& other : files_) {
      if (file != other && !std::filesystem::equivalent(file, other, error)) continue;
      throw Error(ErrorKind::kUsage, file + " stands twice among the files", "give the file of each rank once");
    }
  }

  void add(const std::string& file, const ToolTrace& trace, Cautions& cautions) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!trace.rank || trace.rank != ranks_[i]) continue;
      throw Error(ErrorKind::kBadInput, fmt::format("{} and {} are both of rank {}", files_[i], file, *trace.rank),
                  "give the file of each rank once, and files of several jobs one job at a time");
    }
    Calls calls = calls_of(trace);
    if (files_.empty()) {
      first_ = std::move(calls);
    } else if (const double share = in_common(first_, calls); share < kLeastInCommon) {
      cautions.push_back(fmt::format(
          "only {:.0f} % of its calls are those of {}: waits and collectives hold for ranks of one model alone",
          100 * share, std::filesystem::path(files_.front()).filename().string()));
    }
    files_.push_back(file);
    ranks_.push_back(trace.rank);
  }

 private:
  /// By operator with its shapes.
  using Calls = std::map<std::pair<std::string, std::string>, std::int64_t>;
  // Stages of a pipeline have layers in common, if not all operators.
  static constexpr double kLeastInCommon = 0.5;

  static Calls calls_of(const ToolTrace& trace) {
    const auto name = [&](std::uint32_t at) { return at == kNoId ? std::string() : trace.trace.names.at(at); };
    Calls calls;
    for (const ToolNode& node : trace.nodes) calls[{name(node.name), name(node.shapes)}] += node.calls;
    return calls;
  }

  static double in_common(const Calls& a, const Calls& b) {
    std::int64_t of_a = 0;
    std::int64_t of_b = 0;
    std::int64_t both = 0;
    for (const auto& [call, count] : a) {
      of_a += count;
      if (const auto at = b.find(call); at != b.end()) both += std::min(count, at->second);
    }
    for (const auto& [call, count] : b) of_b += count;
    const std::int64_t most = std::max(of_a, of_b);
    return most > 0 ? static_cast<double>(both) / static_cast<double>(most) : 1.0;
  }

  std::vector<std::string> files_;
  std::vector<std::optional<std::int64_t>> ranks_;
  Calls first_;
};

Point trace_point(const std::string& file, const ToolTrace& trace, const Taken& taken, Cautions cautions) {
  ToolRecord record = record_of(trace);
  const Timeline timeline = timeline_of(trace, record, taken.most_records);
  record.record.devices.front().limits = taken.limits;
  const Analysis analysis = analyse(record.record, taken.options);
  const ToolFigures figures = tool_figures(trace, record, analysis);

  Point point;
  point.command = "nongemm analyze " + shell_word(file);
  point.settings = {{"trace", std::filesystem::path(file).filename().string()}, {"tool", trace.kind}};
  if (trace.rank) point.settings.emplace_back("rank", std::to_string(*trace.rank));
  if (!trace.device_names.empty()) point.settings.emplace_back("device", trace.device_names.front());
  const LatencyPass& latency = record.record.phases.front().latency;
  if (!latency.samples_s.empty()) point.samples.push_back({"latency", latency.samples_s});
  point.tables = make_trace_tables(figures);
  std::optional<Roofline> roofline;
  if (taken.limits) check_device(*taken.limits, trace, cautions);
  if (taken.limits) roofline = make_roofline(analysis, analysis.wall_s);
  std::vector<Table> same_as_run = make_tables({.record = &record.record,
                                                .analysis = &analysis,
                                                .roofline = roofline ? &*roofline : nullptr,
                                                .cautions = std::move(cautions),
                                                .timeline = &timeline});
  std::move(same_as_run.begin(), same_as_run.end(), std::back_inserter(point.tables));
  if (trace.dropped > 0) {
    point.status.kind = StatusKind::kIncomplete;
    point.status.reason =
        fmt::format("{} events of the file could not be read: figures are of the others", trace.dropped);
  }
  return point;
}

/// To each rank's point what it waited for; nothing for a file alone and for ranks whose collectives differ.
/// @param numbers of the files' ranks
void add_waits(const RankWaits& waits, const std::vector<std::size_t>& numbers, std::vector<Point>& points) {
  if (points.size() < 2 || waits.unmatched > 0) return;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<RankWait> own;
    for (const RankWait& wait : waits.waits) {
      if (wait.rank != i) continue;
      own.push_back(wait);
      own.back().rank = numbers[wait.rank];
      own.back().last = numbers[wait.last];
    }
    if (!own.empty()) points[i].tables.push_back(make_waits_table(own));
  }
}

}  // namespace

std::vector<Point> trace_points(const AnalyzeRequest& request, const Counting& counting, bool long_timeline) {
  const Taken taken{analysis_options(counting), limits_of(request.limits),
                    long_timeline ? kMostRecordsKept : kRecordsKept};
  const std::vector<std::string>& files = request.files;
  std::vector<Point> points;
  ToolWaits waits;
  std::vector<std::size_t> numbers;
  std::vector<std::vector<CollectiveCall>> collectives;
  Ranks ranks;
  for (const std::string& file : files) {
    ranks.check_path(file);
    const ToolTrace trace = traces::read_trace(file);
    Cautions cautions;
    ranks.add(file, trace, cautions);
    points.push_back(trace_point(file, trace, taken, std::move(cautions)));
    collectives.push_back(collective_calls(trace));
    if (files.size() > 1) waits.add(trace);  // a rank alone waits for none
    numbers.push_back(trace.rank ? static_cast<std::size_t>(*trace.rank) : numbers.size());
  }
  const std::vector<std::vector<CollectiveSum>> sums = collective_sums(collectives);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!sums[i].empty()) points[i].tables.push_back(make_collectives_table(sums[i]));
  }
  add_waits(waits.finish(), numbers, points);
  return points;
}

}  // namespace nongemm
