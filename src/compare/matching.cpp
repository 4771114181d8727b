#include "compare/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/statistics.h"

namespace nongemm {
namespace {

/// Of a report's context; the time, the load and the command differ always.
constexpr std::array<std::string_view, 6> kMachine = {"nongemm", "revision", "system", "processor", "cores", "memory"};
/// Of a point where a report has no specification (schema version 1).
constexpr std::array<std::string_view, 8> kQuestions = {"model",    "flow",  "device",  "dtype",
                                                        "sequence", "batch", "threads", "quantize"};

using Options = std::map<std::string, std::string>;

Options options_of(const Point& point) {
  Options options;
  for (const OptionValue& value : point.specification) {
    options[value.name] = fmt::format("{}", fmt::join(value.texts, " "));
  }
  if (!options.empty()) return options;
  for (const std::string_view name : kQuestions) {
    if (const std::string value = point.setting(name); !value.empty()) options[std::string(name)] = value;
  }
  return options;
}

std::string label_of(const Point& point) {
  std::string label;
  for (const std::string_view name : {"model", "flow", "device", "dtype", "batch", "sequence"}) {
    const std::string value = point.setting(name);
    if (value.empty()) continue;
    const bool alone = name == "model" || name == "flow" || name == "device" || name == "dtype";
    label += fmt::format("{}{}", label.empty() ? "" : " ", alone ? value : fmt::format("{} {}", name, value));
  }
  return label;
}

std::vector<MeasuredPoint> points_of(const Document& document) {
  std::vector<MeasuredPoint> points;
  std::map<std::string, std::size_t> known;
  for (const Point& point : document.points) {
    const bool several = point.process > 0 && !point.key.empty();
    const auto [at, is_new] = several ? known.try_emplace(point.key, points.size()) : std::pair{known.end(), true};
    if (is_new) {
      points.push_back({label_of(point), {&point}});
    } else {
      points[at->second].processes.push_back(&point);
    }
  }
  return points;
}

/// The option's value where all points have the same.
std::optional<std::string> common_value(const std::vector<Options>& all, const std::string& name) {
  std::optional<std::string> common;
  for (const Options& options : all) {
    const auto at = options.find(name);
    const std::string value = at == options.end() ? "" : at->second;
    if (common && *common != value) return std::nullopt;
    common = value;
  }
  return common;
}

/// Options that have one value in all of one report, another in all of the other.
std::vector<ComparisonDifference> options_apart(const std::vector<Options>& base, const std::vector<Options>& fresh) {
  std::set<std::string> names;
  for (const auto* side : {&base, &fresh}) {
    for (const Options& options : *side) {
      for (const auto& [name, value] : options) names.insert(name);
    }
  }
  std::vector<ComparisonDifference> apart;
  for (const std::string& name : names) {
    const auto before = common_value(base, name);
    const auto after = common_value(fresh, name);
    if (before && after && *before != *after) apart.push_back({name, *before, *after});
  }
  return apart;
}

std::string value_in(const std::vector<std::pair<std::string, std::string>>& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return value;
  }
  return "";
}

std::vector<ComparisonDifference> machines_apart(const Document& base, const Document& fresh) {
  std::vector<ComparisonDifference> apart;
  for (const std::string_view name : kMachine) {
    const std::string before = value_in(base.context, name);
    const std::string after = value_in(fresh.context, name);
    if (before != after) apart.push_back({std::string(name), before, after});
  }
  return apart;
}

ComparisonLeftover leftover_of(const char* side, const MeasuredPoint& point) {
  ComparisonLeftover leftover{side, "point", point.label};
  for (const SampleSet& set : point.first().samples) {
    if (set.name == "latency" && !set.seconds.empty()) leftover.time_s = median(set.seconds);
  }
  return leftover;
}

}  // namespace

PointMatching match_points(const Document& base, const Document& fresh) {
  PointMatching matching;
  std::vector<MeasuredPoint> before = points_of(base);
  std::vector<MeasuredPoint> after = points_of(fresh);
  std::vector<Options> before_options;
  std::vector<Options> after_options;
  for (const MeasuredPoint& point : before) before_options.push_back(options_of(point.first()));
  for (const MeasuredPoint& point : after) after_options.push_back(options_of(point.first()));
  matching.differences = machines_apart(base, fresh);
  for (ComparisonDifference& apart : options_apart(before_options, after_options)) {
    for (Options& options : before_options) options.erase(apart.what);
    for (Options& options : after_options) options.erase(apart.what);
    matching.differences.push_back(std::move(apart));
  }
  std::multimap<Options, std::size_t> partners;
  for (std::size_t i = 0; i < after.size(); ++i) partners.emplace(after_options[i], i);
  std::vector<bool> taken(after.size(), false);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto at = partners.find(before_options[i]);
    if (at == partners.end()) {
      matching.leftovers.push_back(leftover_of("base", before[i]));
      continue;
    }
    taken[at->second] = true;
    matching.pairs.push_back({std::move(before[i]), after[at->second]});
    partners.erase(at);
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!taken[i]) matching.leftovers.push_back(leftover_of("new", after[i]));
  }
  // Versions of runtimes, each flow's once.
  std::set<std::string> told;
  for (const PointPair& pair : matching.pairs) {
    const std::string runtime = pair.base.first().setting("runtime");
    const std::string other = pair.fresh.first().setting("runtime");
    const std::string name = pair.base.first().setting("flow") + " runtime";
    if (runtime != other && !runtime.empty() && !other.empty() && told.insert(name).second) {
      matching.differences.push_back({name, runtime, other});
    }
  }
  return matching;
}

NodeMatching match_nodes(const Table& base, const Table& fresh) {
  const auto identity = [](const Table& table, std::size_t row, bool with_module) {
    std::string text;
    for (const std::string_view column : {"operator", "shapes", "module"}) {
      if (column == "module" && !with_module) continue;
      text += to_plain(value_at(table, row, column)) + "\n";
    }
    return text;
  };
  NodeMatching matching;
  matching.same_graph = base.rows.size() == fresh.rows.size();
  for (std::size_t i = 0; i < base.rows.size() && matching.same_graph; ++i) {
    matching.same_graph = identity(base, i, false) == identity(fresh, i, false);
  }
  if (matching.same_graph) {
    for (std::size_t i = 0; i < base.rows.size(); ++i) matching.pairs.emplace_back(i, i);
    return matching;
  }
  std::map<std::string, std::vector<std::size_t>> waiting;
  for (std::size_t i = fresh.rows.size(); i-- > 0;) waiting[identity(fresh, i, true)].push_back(i);
  for (std::size_t i = 0; i < base.rows.size(); ++i) {
    std::vector<std::size_t>& partners = waiting[identity(base, i, true)];
    if (partners.empty()) {
      matching.base_alone.push_back(i);
    } else {
      matching.pairs.emplace_back(i, partners.back());
      partners.pop_back();
    }
  }
  for (const auto& [text, rest] : waiting) {
    matching.fresh_alone.insert(matching.fresh_alone.end(), rest.begin(), rest.end());
  }
  std::sort(matching.fresh_alone.begin(), matching.fresh_alone.end());
  return matching;
}

}  // namespace nongemm
