// The JSON of Google Benchmark, so that its compare.py and everything else that reads it works on our figures: one
// benchmark per point, its samples in repetitions, aggregates after them.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>

#include "base/json.h"
#include "base/statistics.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

constexpr double kNanoseconds = 1e9;
/// compare.py's U test wants nine and more; thousands of rows serve nobody.
constexpr std::size_t kMostRepetitions = 20;

std::string context_value(const Document& document, std::string_view key) {
  for (const auto& [name, value] : document.context) {
    if (name == key) return value;
  }
  return "";
}

OrderedJson context_of(const Document& document) {
  OrderedJson context;
  context["date"] = context_value(document, "time");
  context["host_name"] = context_value(document, "host");
  context["executable"] = "nongemm";
  // Of the machine that measured, which need not be this one; what the report does not say is left out.
  if (const int cores = std::atoi(context_value(document, "cores").c_str()); cores > 0) context["num_cpus"] = cores;
  context["library_version"] = context_value(document, "nongemm");
  context["json_schema_version"] = 1;
  for (const auto& [key, value] : document.context) context["nongemm_" + key] = value;
  return context;
}

/// "aten.add.Tensor/shapes:[1, 2]/flow:torch": what a filter of compare.py is matched with.
std::string name_of_point(const Point& point) {
  std::string name;
  for (const auto& [key, value] : point.settings) {
    if (value.empty()) continue;
    name += name.empty() ? value : "/" + key + ":" + value;
  }
  return name;
}

const SampleSet* samples_of(const Point& point) {
  for (const std::string_view wanted : {"call", "latency"}) {
    for (const SampleSet& set : point.samples) {
      if (set.name == wanted && !set.seconds.empty()) return &set;
    }
  }
  return nullptr;
}

/// A figure of the point's single-row section.
double figure_of(const Point& point, std::string_view id) {
  for (const Table& table : point.tables) {
    if (!table.info->single_row || table.rows.empty()) continue;
    for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
      if (table.info->columns[c].id != id) continue;
      if (const auto* number = std::get_if<double>(&table.rows[0][c])) return *number;
      if (const auto* count = std::get_if<std::int64_t>(&table.rows[0][c])) return static_cast<double>(*count);
    }
  }
  return std::nan("");
}

/// Samples that follow one another are a repetition, whose time is their mean, as Google Benchmark has it.
std::vector<double> repetitions_of(const std::vector<double>& samples) {
  const std::size_t count = std::min(samples.size(), kMostRepetitions);
  std::vector<double> means;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * samples.size() / count;
    const std::size_t end = (i + 1) * samples.size() / count;
    means.push_back(mean(std::span(samples).subspan(begin, end - begin)));
  }
  return means;
}

void add_times(OrderedJson& row, double seconds) {
  row["real_time"] = seconds * kNanoseconds;
  // Only wall clocks and device clocks are read.
  row["cpu_time"] = seconds * kNanoseconds;
  row["time_unit"] = "ns";
}

void add_counters(OrderedJson& row, const Point& point) {
  const double bytes = figure_of(point, "byte_rate");
  const double flops = figure_of(point, "flop_rate");
  if (std::isfinite(bytes)) row["bytes_per_second"] = bytes;
  if (std::isfinite(flops)) row["flops_per_second"] = flops;
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

void add_benchmarks(const Point& point, std::size_t index, OrderedJson& benchmarks) {
  const std::string name = name_of_point(point);
  const auto row = [&](const std::string& run_name, const char* run_type) {
    OrderedJson json;
    json["name"] = run_name;
    json["family_index"] = index;
    json["per_family_instance_index"] = 0;
    json["run_name"] = name;
    json["run_type"] = run_type;
    return json;
  };
  const SampleSet* samples = samples_of(point);
  if (!point.status.ok() || samples == nullptr) {
    OrderedJson json = row(name, "iteration");
    json["error_occurred"] = true;
    json["error_message"] = std::string(name_of(point.status.kind)) + ": " + point.status.reason;
    json["iterations"] = 0;
    add_times(json, 0);
    benchmarks.push_back(std::move(json));
    return;
  }
  const std::vector<double> times = repetitions_of(samples->seconds);
  const double repeat = figure_of(point, "calls_per_sample");
  const double calls = static_cast<double>(samples->seconds.size()) / static_cast<double>(times.size()) *
                       (std::isfinite(repeat) ? repeat : 1.0);
  for (std::size_t i = 0; i < times.size(); ++i) {
    OrderedJson json = row(name, "iteration");
    json["repetitions"] = times.size();
    json["repetition_index"] = i;
    json["threads"] = 1;
    json["iterations"] = static_cast<std::int64_t>(calls);
    add_times(json, times[i]);
    add_counters(json, point);
    benchmarks.push_back(std::move(json));
  }
  const auto aggregate = [&](const char* what, double value, const char* unit) {
    OrderedJson json = row(name + "_" + what, "aggregate");
    json["repetitions"] = times.size();
    json["threads"] = 1;
    json["aggregate_name"] = what;
    json["aggregate_unit"] = unit;
    json["iterations"] = times.size();
    if (std::string_view(unit) == "time") {
      add_times(json, value);
    } else {
      json["real_time"] = value;
      json["cpu_time"] = value;
      json["time_unit"] = "ns";
    }
    benchmarks.push_back(std::move(json));
  };
  aggregate("mean", mean(times), "time");
  aggregate("median", median(times), "time");
  aggregate("stddev", deviation(times), "time");
  aggregate("cv", mean(times) > 0 ? deviation(times) / mean(times) : 0.0, "percentage");
}

}  // namespace

void write_google_benchmark(const Document& document, std::ostream& out) {
  OrderedJson root;
  root["context"] = context_of(document);
  root["benchmarks"] = OrderedJson::array();
  for (std::size_t i = 0; i < document.points.size(); ++i) add_benchmarks(document.points[i], i, root["benchmarks"]);
  out << dump_json(root, 2) << '\n';
}

}  // namespace nongemm
