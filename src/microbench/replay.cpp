#include "microbench/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "base/error.h"
#include "microbench/call_graph.h"
#include "report/field.h"
#include "spec/run_spec.h"

namespace nongemm::microbench {
namespace {

constexpr double kMostDifference = 0.2;

/// Rows of the operator trace by column name.
class NodeTable {
 public:
  explicit NodeTable(const Table& table) : table_(table) {}

  std::size_t size() const { return table_.rows.size(); }
  std::string text(std::size_t row, std::string_view column) const {
    const auto* value = std::get_if<std::string>(&cell(row, column));
    return value != nullptr ? *value : "";
  }
  double number(std::size_t row, std::string_view column) const {
    const FieldValue& value = cell(row, column);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* count = std::get_if<std::int64_t>(&value)) return static_cast<double>(*count);
    return std::nan("");
  }

 private:
  const FieldValue& cell(std::size_t row, std::string_view column) const {
    static const FieldValue kAbsent;
    for (std::size_t c = 0; c < table_.info->columns.size(); ++c) {
      if (table_.info->columns[c].id == column) return table_.rows[row][c];
    }
    return kAbsent;
  }

  const Table& table_;
};

const Table& node_table(const Point& point) {
  for (const Table& table : point.tables) {
    if (table.info->id == "nodes") return table;
  }
  throw Error(ErrorKind::kUnsupported, "the report's point has no operator trace",
              "make the report with nongemm run --format json");
}

/// "[1, 256, 768], [4]" as the trace shows a node's results; a shape with something unknown in it ends the reading.
std::vector<Shape> shapes_in(const std::string& text) {
  std::vector<Shape> shapes;
  for (std::size_t at = text.find('['); at != std::string::npos; at = text.find('[', at)) {
    const std::size_t end = text.find(']', at);
    if (end == std::string::npos) break;
    std::istringstream numbers(text.substr(at + 1, end - at - 1));
    Shape shape;
    for (std::string word; std::getline(numbers, word, ',');) {
      const std::size_t digit = word.find_first_not_of(' ');
      if (digit == std::string::npos || word.find_first_not_of("0123456789", digit) != std::string::npos) return shapes;
      std::int64_t size = 0;
      if (std::from_chars(word.data() + digit, word.data() + word.size(), size).ec != std::errc()) return shapes;
      shape.push_back(size);
    }
    shapes.push_back(std::move(shape));
    at = end;
  }
  return shapes;
}

/// Dimensions that the run decided, as the trace recorded them.
void take_observed_shapes(const NodeTable& rows, Graph& graph) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::vector<Shape> shapes = shapes_in(rows.text(i, "results"));
    for (std::size_t k = 0; k < std::min(shapes.size(), node.outputs.size()); ++k) {
      Type& type = graph.values[node.outputs[k]].type;
      const bool open = std::find(type.shape.begin(), type.shape.end(), kDynamic) != type.shape.end();
      if (!open || type.kind != Type::Kind::kTensor || type.shape.size() != shapes[k].size()) continue;
      type.shape = shapes[k];
      // How a result of unknown size lies in memory was not recorded.
      if (std::find(type.strides.begin(), type.strides.end(), kDynamic) != type.strides.end()) type.strides.clear();
    }
  }
}

struct Sum {
  double time_s = 0;
  double gap_s = 0;
  double calls = 0;
};

}  // namespace

std::vector<ReplayCall> replay_calls(const Graph& original, const Point& point, const SchemaSource& runtime,
                                     std::size_t& left_out) {
  const NodeTable rows(node_table(point));
  bool same = rows.size() == original.nodes.size();
  for (std::size_t i = 0; same && i < rows.size(); ++i) same = rows.text(i, "operator") == original.nodes[i].op;
  if (!same) {
    if (point.setting("flow") != kBaselineFlow) {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("the {} flow ran steps of its own, which are no single operators", point.setting("flow")),
                  "replay a point of the torch flow");
    }
    throw Error(ErrorKind::kBadInput, "the report's operators are not those that the model has now",
                "make the report again with this nongemm");
  }
  Graph graph = original;
  take_observed_shapes(rows, graph);
  std::vector<ReplayCall> calls;
  std::vector<Sum> sums;
  std::map<std::string, std::size_t> index;
  left_out = 0;
  const NodeCalls node_calls(graph, runtime);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Node& node = graph.nodes[i];
    const double times = rows.number(i, "calls");
    if (!is_operator_call(node) || !(times > 0) || !(rows.number(i, "time") >= 0)) continue;
    try {
      Call call = node_calls.call_of(node);
      const auto [at, is_new] = index.emplace(key_of(call), calls.size());
      if (is_new) {
        calls.push_back({std::move(call), {}});
        calls.back().in_model.example = rows.text(i, "scope");
        sums.emplace_back();
      }
      Sum& sum = sums[at->second];
      sum.time_s += rows.number(i, "time");
      const double gap = rows.number(i, "gap");
      sum.gap_s += std::isnan(gap) ? 0.0 : gap;
      sum.calls += times;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      ++left_out;
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].in_model.time_s = sums[i].time_s / sums[i].calls;
    calls[i].in_model.gap_s = sums[i].gap_s / sums[i].calls;
    calls[i].in_model.calls = sums[i].calls;
  }
  return calls;
}

bool differs(double a, double b) { return std::max(a, b) > (1 + kMostDifference) * std::min(a, b); }

std::string cause_of(const InModelFigures& in_model, const Isolated& alone, bool on_device) {
  const double there = in_model.total_s();
  if (!differs(there, alone.time_s)) return "";
  const auto time = [](double seconds) { return to_text(seconds, Unit::kSeconds); };
  if (there > alone.time_s && in_model.gap_s > (there - alone.time_s) / 2) {
    return "launch gap: the device waits " + time(in_model.gap_s) + " before it";
  }
  if (in_model.time_s <= alone.time_s) return "";
  if (differs(alone.cold_s, alone.time_s) && alone.cold_s > alone.time_s) {
    // Less is in the cache anyway, or is no data at all: a view reads nothing.
    constexpr double kLeastBytes = 65536;
    if (alone.bytes < kLeastBytes) return "cold start: code and tables were not in the cache there";
    const bool most = in_model.time_s - alone.time_s > (alone.cold_s - alone.time_s) / 2;
    return most ? "cache: operands come from memory there" : "cache: operands come partly from memory there";
  }
  // A span in the model holds two readings of the clock, and code that was not run just before.
  constexpr double kCallOverhead = 2e-6;
  if (!on_device && in_model.time_s - alone.time_s < kCallOverhead) {
    return "short: what a single call costs the processor";
  }
  return "";
}

}  // namespace nongemm::microbench
