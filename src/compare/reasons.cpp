#include "compare/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/statistics.h"

namespace nongemm {
namespace {

bool differs(double a, double b, double by) { return a > 0 && b > 0 && std::abs(std::log(b / a)) > by; }

/// Sum of a column over a section's rows; NaN without one.
double total_of(const Point& point, std::string_view section, std::string_view column) {
  const Table* table = find_table(point, section);
  if (table == nullptr) return std::nan("");
  double sum = 0;
  for (std::size_t r = 0; r < table->rows.size(); ++r) sum += number_at(*table, r, column);
  return sum;
}

/// Time of each kernel name; empty where none are told.
std::map<std::string, double> kernels_of(const Point& point) {
  std::map<std::string, double> kernels;
  for (const char* section : {"kernels", "step_kernels"}) {
    const Table* table = find_table(point, section);
    if (table == nullptr) continue;
    for (std::size_t r = 0; r < table->rows.size(); ++r) {
      kernels[to_plain(value_at(*table, r, "kernel"))] += number_at(*table, r, "time");
    }
    break;
  }
  return kernels;
}

void add_counts(const PointPair& pair, std::vector<std::string>& reasons) {
  struct Count {
    const char* section;
    const char* column;
    const char* name;
  };
  for (const Count& count : {Count{"groups", "nodes", "nodes"}, Count{"groups", "kernels", "kernels"}}) {
    const double before = total_of(pair.base.first(), count.section, count.column);
    const double after = total_of(pair.fresh.first(), count.section, count.column);
    if (before != after && !std::isnan(before) && !std::isnan(after)) {
      reasons.push_back(fmt::format("{} {:.0f} -> {:.0f}", count.name, before, after));
    }
  }
}

void add_work(const PointPair& pair, std::vector<std::string>& reasons) {
  struct Amount {
    const char* column;
    const char* name;
  };
  for (const Amount& amount : {Amount{"flops", "work"}, Amount{"bytes", "bytes"}}) {
    const double before = total_of(pair.base.first(), "groups", amount.column);
    const double after = total_of(pair.fresh.first(), "groups", amount.column);
    constexpr double kNoticed = 0.001;
    if (differs(before, after, kNoticed))
      reasons.push_back(fmt::format("{} {:.3g} times", amount.name, after / before));
  }
}

void add_waits(const PointPair& pair, std::vector<std::string>& reasons) {
  const auto waits = [](const MeasuredPoint& point) {
    return figure_of(point, "performance", "gap_share") * figure_of(point, "performance", "latency");
  };
  const double before = figure_of(pair.base, "performance", "latency");
  const double change = figure_of(pair.fresh, "performance", "latency") - before;
  const double of_waits = waits(pair.fresh) - waits(pair.base);
  constexpr double kWorthTelling = 0.2;  // of the change
  if (!std::isnan(of_waits) && std::abs(of_waits) > kWorthTelling * std::abs(change)) {
    reasons.push_back(
        fmt::format("device waits {}{}", of_waits > 0 ? "+" : "-", to_text(std::abs(of_waits), Unit::kSeconds)));
  }
}

void add_clocks(const PointPair& pair, std::vector<std::string>& reasons) {
  const double before = figure_of(pair.base, "performance", "clock");
  const double after = figure_of(pair.fresh, "performance", "clock");
  constexpr double kNoticed = 0.005;
  if (differs(before, after, kNoticed)) {
    reasons.push_back(fmt::format("clock {} -> {}", to_text(before, Unit::kHertz), to_text(after, Unit::kHertz)));
  }
}

void add_fusion(const PointPair& pair, std::vector<std::string>& reasons) {
  const double steps_before = figure_of(pair.base, "fusion", "steps");
  const double steps_after = figure_of(pair.fresh, "fusion", "steps");
  const double before = figure_of(pair.base, "fusion", "rate");
  const double after = figure_of(pair.fresh, "fusion", "rate");
  if (steps_before != steps_after && !std::isnan(steps_before) && !std::isnan(steps_after)) {
    reasons.push_back(fmt::format("another fusion: {:.0f} -> {:.0f} steps", steps_before, steps_after));
  } else if (std::abs(after - before) > 1e-9) {
    reasons.push_back(
        fmt::format("another fusion: {} -> {} fused", to_text(before, Unit::kShare), to_text(after, Unit::kShare)));
  }
}

void add_kernels(const PointPair& pair, std::vector<std::string>& reasons) {
  const std::vector<ComparisonLeftover> alone = kernels_alone(pair);
  const auto first = [&](const char* side) {
    const auto at = std::find_if(alone.begin(), alone.end(), [&](const auto& kernel) { return kernel.side == side; });
    return at == alone.end() ? std::string() : at->name;
  };
  const std::string before = first("base");
  const std::string after = first("new");
  if (!before.empty() && !after.empty())
    reasons.push_back(fmt::format("another kernel: {} in place of {}", after, before));
}

}  // namespace

double figure_of(const MeasuredPoint& point, std::string_view section, std::string_view column) {
  std::vector<double> figures;
  for (const Point* process : point.processes) {
    const Table* table = find_table(*process, section);
    if (table == nullptr || table->rows.empty()) continue;
    const double figure = number_at(*table, 0, column);
    if (!std::isnan(figure)) figures.push_back(figure);
  }
  return median(figures);
}

std::vector<ComparisonLeftover> kernels_alone(const PointPair& pair) {
  const std::map<std::string, double> before = kernels_of(pair.base.first());
  const std::map<std::string, double> after = kernels_of(pair.fresh.first());
  std::vector<ComparisonLeftover> alone;
  if (before.empty() || after.empty()) return alone;
  for (const auto& [name, time] : before) {
    if (!after.contains(name)) alone.push_back({"base", "kernel", name, time});
  }
  for (const auto& [name, time] : after) {
    if (!before.contains(name)) alone.push_back({"new", "kernel", name, time});
  }
  std::stable_sort(alone.begin(), alone.end(), [](const auto& a, const auto& b) { return a.time_s > b.time_s; });
  return alone;
}

std::vector<std::string> reasons_of(const PointPair& pair) {
  std::vector<std::string> reasons;
  add_clocks(pair, reasons);
  add_work(pair, reasons);
  add_counts(pair, reasons);
  add_fusion(pair, reasons);
  add_waits(pair, reasons);
  add_kernels(pair, reasons);
  return reasons;
}

}  // namespace nongemm
