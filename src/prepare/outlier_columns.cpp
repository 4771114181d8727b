#include "prepare/outlier_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"

namespace nongemm {
namespace {

/// The option as reports name it: what is said of it takes the place of its value among a report's settings.
constexpr const char* kAttribute = "outlier columns";

/// Times a normalized activation: three of four such values have a magnitude of 6 or more.
constexpr double kPeak = 20.0;

void add_uses(const Node& node, std::set<ValueId>& values) {
  for (const Argument& argument : node.args) {
    if (const auto* use = std::get_if<Use>(&argument)) values.insert(use->value);
  }
}

/// What modules of normalization by channels read. Statistics of batches are folded into scales, and stay as they are.
std::set<ValueId> read_by_normalizations(const Graph& graph) {
  std::set<ValueId> values;
  for (const Node& node : graph.nodes) {
    const std::string_view module = graph.scopes[node.scope].type;
    if (module.find("Norm") != std::string_view::npos && module.find("BatchNorm") == std::string_view::npos) {
      add_uses(node, values);
    }
  }
  return values;
}

bool is_scale(const Graph& graph, const Weight& weight) {
  return weight.name.ends_with("weight") && weight.init.kind == InitSpec::Kind::kConstant &&
         graph.values[weight.value].type.shape.size() == 1;
}

}  // namespace

void set_outlier_columns(Graph& graph, std::int64_t count) {
  if (count == 0) return;
  const std::set<ValueId> read = read_by_normalizations(graph);
  std::int64_t scales = 0;
  std::int64_t most_channels = 0;
  for (Weight& weight : graph.weights) {
    if (!read.contains(weight.value) || !is_scale(graph, weight)) continue;
    const std::int64_t channels = graph.values[weight.value].type.shape[0];
    most_channels = std::max(most_channels, channels);
    if (channels < count) continue;
    weight.init.peaks = count;
    weight.init.every = channels / count;
    weight.init.peak = kPeak;
    ++scales;
  }
  if (scales == 0) {
    throw Error(ErrorKind::kUsage,
                most_channels == 0
                    ? graph.name + ": no normalization with synthetic scales is there for --outlier-columns"
                    : fmt::format("{}: --outlier-columns {} of at most {} channels", graph.name, count, most_channels),
                most_channels == 0 ? "leave it out" : "give fewer");
  }
  graph.attributes[kAttribute] = fmt::format("{} channels of {} normalizations stand out", count, scales);
}

bool has_outlier_columns(const Graph& graph) { return graph.attributes.contains(kAttribute); }

}  // namespace nongemm
