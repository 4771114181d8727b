#include "compare/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/statistics.h"
#include "compare/matching.h"
#include "compare/reasons.h"

namespace nongemm {
namespace {

/// Samples that are times of something whole, and what a comparison calls them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWholes = {
    {{"latency", "inference"}, {"replay", "replay"}, {"call", "call"}}};

/// What one process alone cannot tell of its like: parts vary more than inferences.
constexpr double kSpreadOfWholes = 0.02;
constexpr double kSpreadOfParts = 0.05;

ProcessSamples samples_of(const MeasuredPoint& point, std::string_view name) {
  ProcessSamples all;
  for (const Point* process : point.processes) {
    for (const SampleSet& set : process->samples) {
      if (set.name == name) all.push_back(set.seconds);
    }
  }
  return all;
}

/// One figure of each process, as a sample of its own.
ProcessSamples figures_of(const MeasuredPoint& point, const std::function<double(const Point&)>& figure) {
  ProcessSamples all;
  for (const Point* process : point.processes) all.push_back({figure(*process)});
  return all;
}

/// The clock of each sample, or the one that the process had at its end; NaN where it tells none.
std::vector<double> clocks_of(const Point& process, std::size_t samples) {
  for (const SampleSet& set : process.samples) {
    if (set.name == "latency_clock" && set.seconds.size() == samples) return set.seconds;
  }
  const Table* table = find_table(process, "performance");
  return std::vector<double>(samples, table == nullptr ? std::nan("") : number_at(*table, 0, "clock"));
}

/// Samples times clocks: cycles. Empty where a process does not tell its clock.
ProcessSamples in_cycles(const MeasuredPoint& point, ProcessSamples samples) {
  if (samples.size() != point.processes.size()) return {};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::vector<double> clocks = clocks_of(*point.processes[i], samples[i].size());
    for (std::size_t k = 0; k < clocks.size(); ++k) {
      if (std::isnan(clocks[k])) return {};
      samples[i][k] *= clocks[k];
    }
  }
  return samples;
}

class Comparer {
 public:
  explicit Comparer(const CompareOptions& options) : options_(options) {}

  Comparison compare(const Document& base, const Document& fresh) {
    const PointMatching matching = match_points(base, fresh);
    std::vector<ComparisonRow> wholes;
    std::vector<std::vector<ComparisonRow>> parts;
    for (const PointPair& pair : matching.pairs) {
      add_wholes(pair, wholes);
      parts.push_back(parts_of(pair));
    }
    decide_operators(parts);
    Comparison result;
    result.comparable =
        std::any_of(wholes.begin(), wholes.end(), [](const auto& row) { return !std::isnan(row.ratio); });
    result.decided = result.comparable && std::none_of(wholes.begin(), wholes.end(), [](const auto& row) {
                       return row.verdict == name_of(Verdict::kUndecided);
                     });
    result.gate_failed = gate_failed_;
    result.document.points.push_back(overview(matching, wholes));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].empty()) result.document.points.push_back(details(matching.pairs[i], std::move(parts[i])));
    }
    return result;
  }

 private:
  ComparisonRow row_of(std::string level, std::string name, const ProcessSamples& base, const ProcessSamples& fresh,
                       double assumed_spread) const {
    const Question question{options_.tolerance, options_.confidence, options_.in_turns, assumed_spread};
    const Estimate estimate = estimate_ratio(base, fresh, question);
    const Verdict verdict = verdict_of(estimate, options_.tolerance);
    ComparisonRow row{.level = std::move(level), .name = std::move(name)};
    row.base_s = estimate.base;
    row.new_s = estimate.fresh;
    row.ratio = estimate.ratio;
    row.low = estimate.low;
    row.high = estimate.high;
    row.verdict = name_of(verdict);
    row.p_value = estimate.p_value;
    row.processes = static_cast<std::int64_t>(estimate.processes);
    if (verdict == Verdict::kUndecided) row.needed = processes_needed(estimate, options_.tolerance);
    return row;
  }

  void add_wholes(const PointPair& pair, std::vector<ComparisonRow>& wholes) {
    const std::size_t before = wholes.size();
    for (const auto& [set, level] : kWholes) {
      const ProcessSamples base = samples_of(pair.base, set);
      const ProcessSamples fresh = samples_of(pair.fresh, set);
      if (base.empty() || fresh.empty()) continue;
      ComparisonRow row = row_of(std::string(level), "", base, fresh, kSpreadOfWholes);
      row.point = pair.base.label;
      std::vector<std::string> reasons;
      double low = row.low;
      take_out_clocks(pair, base, fresh, row, low, reasons);
      if (row.verdict != name_of(Verdict::kSame)) {
        for (std::string& reason : reasons_of(pair)) reasons.push_back(std::move(reason));
      }
      if (row.processes == 1) reasons.push_back("one process: a spread of 2 % between processes is assumed");
      row.why = fmt::format("{}", fmt::join(reasons, ", "));
      gate_failed_ = gate_failed_ || (options_.fail_above && low > 1 + *options_.fail_above);
      wholes.push_back(std::move(row));
    }
    if (wholes.size() > before) return;
    ComparisonRow row{.point = pair.base.label, .level = "inference"};
    row.verdict = name_of(Verdict::kNotComparable);
    for (const MeasuredPoint* side : {&pair.base, &pair.fresh}) {
      const Status& status = side->first().status;
      if (status.ok()) continue;
      row.why += fmt::format("{}{}: {}, {}", row.why.empty() ? "" : "; ", side == &pair.base ? "base" : "new",
                             name_of(status.kind), status.reason);
    }
    wholes.push_back(std::move(row));
  }

  /// What another clock explains is no property of what was compared: the verdict is that of the cycles.
  /// @param low the near end for the gate
  void take_out_clocks(const PointPair& pair, const ProcessSamples& base, const ProcessSamples& fresh,
                       ComparisonRow& row, double& low, std::vector<std::string>& reasons) const {
    const ProcessSamples before = in_cycles(pair.base, base);
    const ProcessSamples after = in_cycles(pair.fresh, fresh);
    if (before.size() != pair.base.processes.size() || after.size() != pair.fresh.processes.size()) return;
    const ComparisonRow cycles = row_of("", "", before, after, kSpreadOfWholes);
    constexpr double kNoticed = 0.001;
    if (std::isnan(cycles.ratio) || std::abs(std::log(cycles.ratio / row.ratio)) < kNoticed) return;
    row.in_cycles = cycles.ratio;
    low = cycles.low;
    if (cycles.verdict == row.verdict) return;
    reasons.push_back(fmt::format("clocks explain that it is {} in time", row.verdict));
    row.verdict = cycles.verdict;
    row.p_value = cycles.p_value;
    row.needed = cycles.needed;
  }

  std::vector<ComparisonRow> parts_of(const PointPair& pair) const {
    std::vector<ComparisonRow> rows;
    add_groups(pair, rows);
    add_operators(pair, rows);
    return rows;
  }

  void add_groups(const PointPair& pair, std::vector<ComparisonRow>& rows) const {
    std::vector<std::string> names;
    for (const MeasuredPoint* side : {&pair.base, &pair.fresh}) {
      const Table* table = find_table(side->first(), "groups");
      for (std::size_t r = 0; table != nullptr && r < table->rows.size(); ++r) {
        const std::string name = to_plain(value_at(*table, r, "group"));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    const auto sum = [](const Point& point, std::string_view name, std::string_view column) {
      const Table* table = find_table(point, "groups");
      double total = 0;
      for (std::size_t r = 0; table != nullptr && r < table->rows.size(); ++r) {
        const double value = number_at(*table, r, column);
        const bool counts = name.empty() || to_plain(value_at(*table, r, "group")) == name;
        if (counts && !std::isnan(value)) total += value;
      }
      return total;
    };
    const auto add = [&](const std::string& title, const std::string& name, std::string_view column) {
      const auto figure = [&](const Point& point) { return sum(point, name, column); };
      ComparisonRow row =
          row_of("group", title, figures_of(pair.base, figure), figures_of(pair.fresh, figure), kSpreadOfParts);
      if (!std::isnan(row.ratio)) rows.push_back(std::move(row));
    };
    for (const std::string& name : names) add(name, name, "time");
    add("Device waits", "", "gap");
  }

  /// Nodes of one operator that have a partner, together.
  void add_operators(const PointPair& pair, std::vector<ComparisonRow>& rows) const {
    const Table* before = find_table(pair.base.first(), "nodes");
    const Table* after = find_table(pair.fresh.first(), "nodes");
    if (before == nullptr || after == nullptr) return;
    const NodeMatching matching = match_nodes(*before, *after);
    struct Nodes {
      std::vector<std::size_t> base, fresh;
    };
    std::map<std::string, Nodes> operators;
    for (const auto& [b, f] : matching.pairs) {
      Nodes& nodes = operators[to_plain(value_at(*before, b, "operator"))];
      nodes.base.push_back(b);
      nodes.fresh.push_back(f);
    }
    const auto sum = [](const Table& first, const std::vector<std::size_t>& nodes, std::string_view column) {
      return [&first, &nodes, column](const Point& point) {
        const Table* table = find_table(point, "nodes");
        if (table == nullptr || table->rows.size() != first.rows.size()) return std::nan("");
        double total = 0;
        for (const std::size_t node : nodes) total += number_at(*table, node, column);
        return total;
      };
    };
    std::vector<ComparisonRow> found;
    for (const auto& [name, nodes] : operators) {
      ComparisonRow row = row_of("operator", name, figures_of(pair.base, sum(*before, nodes.base, "time")),
                                 figures_of(pair.fresh, sum(*after, nodes.fresh, "time")), kSpreadOfParts);
      if (std::isnan(row.ratio)) continue;
      for (const std::string_view column : {"flops", "bytes", "gap"}) {
        const double was = sum(*before, nodes.base, column)(pair.base.first());
        const double is = sum(*after, nodes.fresh, column)(pair.fresh.first());
        constexpr double kNoticed = 0.001;
        const bool waits = column == "gap";
        if (!(was > 0 && is > 0) || std::abs(is / was - 1) < (waits ? 0.2 : kNoticed)) continue;
        row.why +=
            fmt::format("{}{} {:.3g} times", row.why.empty() ? "" : ", ", waits ? "device waits" : column, is / was);
      }
      found.push_back(std::move(row));
    }
    std::stable_sort(found.begin(), found.end(), [](const ComparisonRow& a, const ComparisonRow& b) {
      return std::abs(a.new_s - a.base_s) > std::abs(b.new_s - b.base_s);
    });
    std::move(found.begin(), found.end(), std::back_inserter(rows));
  }

  /// Many questions are asked at once: of the operators that are called faster or slower few may be called so wrongly.
  void decide_operators(std::vector<std::vector<ComparisonRow>>& parts) const {
    std::vector<ComparisonRow*> rows;
    std::vector<double> p_values;
    for (std::vector<ComparisonRow>& of_point : parts) {
      for (ComparisonRow& row : of_point) {
        if (row.level != "operator") continue;
        rows.push_back(&row);
        p_values.push_back(row.p_value);
      }
    }
    const std::vector<bool> sure = rejected(p_values, 1 - options_.confidence);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool claimed =
          rows[i]->verdict == name_of(Verdict::kFaster) || rows[i]->verdict == name_of(Verdict::kSlower);
      if (claimed && !sure[i]) rows[i]->verdict = name_of(Verdict::kUndecided);
    }
  }

  Point overview(const PointMatching& matching, const std::vector<ComparisonRow>& wholes) const {
    Point point;
    point.settings = {{"comparison", "new against base"},
                      {"tolerance", to_text(options_.tolerance, Unit::kShare)},
                      {"confidence", to_text(options_.confidence, Unit::kShare)}};
    if (options_.fail_above) {
      point.settings.emplace_back("fails above", to_text(*options_.fail_above, Unit::kShare));
      point.settings.emplace_back("gate", gate_failed_ ? "failed" : "passed");
    }
    if (options_.in_turns) point.settings.emplace_back("measured", "in turns");
    if (!matching.differences.empty()) point.tables.push_back(make_difference_table(matching.differences));
    point.tables.push_back(make_comparison_table(wholes));
    if (!matching.leftovers.empty()) point.tables.push_back(make_leftover_table(matching.leftovers));
    return point;
  }

  static Point details(const PointPair& pair, std::vector<ComparisonRow> rows) {
    Point point;
    point.settings = {{"model", pair.base.label}};
    if (pair.fresh.label != pair.base.label) point.settings.emplace_back("new", pair.fresh.label);
    point.tables.push_back(make_part_table(rows));
    std::vector<ComparisonLeftover> leftovers = operators_alone(pair);
    for (ComparisonLeftover& kernel : kernels_alone(pair)) leftovers.push_back(std::move(kernel));
    if (!leftovers.empty()) point.tables.push_back(make_leftover_table(leftovers));
    return point;
  }

  static std::vector<ComparisonLeftover> operators_alone(const PointPair& pair) {
    std::vector<ComparisonLeftover> leftovers;
    const Table* before = find_table(pair.base.first(), "nodes");
    const Table* after = find_table(pair.fresh.first(), "nodes");
    if (before == nullptr || after == nullptr) return leftovers;
    const NodeMatching matching = match_nodes(*before, *after);
    const auto add = [&](const char* side, const Table& table, const std::vector<std::size_t>& nodes) {
      for (const std::size_t node : nodes) {
        leftovers.push_back({side, "operator",
                             fmt::format("{} {}", to_plain(value_at(table, node, "operator")),
                                         to_plain(value_at(table, node, "shapes"))),
                             number_at(table, node, "time")});
      }
    };
    add("base", *before, matching.base_alone);
    add("new", *after, matching.fresh_alone);
    return leftovers;
  }

  CompareOptions options_;
  bool gate_failed_ = false;
};

}  // namespace

Comparison compare_documents(const Document& base, const Document& fresh, const CompareOptions& options) {
  return Comparer(options).compare(base, fresh);
}

}  // namespace nongemm
