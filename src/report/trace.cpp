// A run as a trace for ui.perfetto.dev and chrome://tracing, in the words of torch.profiler, so that `nongemm analyze`
// reads it, too: each point a process, its mean inference laid out operator by operator, in order.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/json.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

constexpr double kMicrosecond = 1e6;  // of a second
constexpr int kHost = 1;              // rows of the display
constexpr int kDevice = 2;

/// The table of nodes by the names of its columns.
class Nodes {
 public:
  explicit Nodes(const Table& table) : table_(table) {}

  std::size_t size() const { return table_.rows.size(); }
  /// Microseconds; 0 where nothing was measured.
  double time(std::size_t row, std::string_view column) const {
    const auto* seconds = std::get_if<double>(&cell(row, column));
    return seconds != nullptr ? *seconds * kMicrosecond : 0.0;
  }
  std::string words(std::size_t row, std::string_view column) const {
    const auto* text = std::get_if<std::string>(&cell(row, column));
    return text != nullptr ? *text : std::string();
  }
  /// On a host the time of a node is that of its call.
  bool is_on_device() const { return total("host_time") != total("time"); }
  OrderedJson arguments(std::size_t row) const {
    OrderedJson arguments;
    for (std::size_t c = 0; c < table_.info->columns.size(); ++c) {
      const FieldValue& value = table_.rows[row][c];
      const std::string key(table_.info->columns[c].id);
      if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !text->empty())
        arguments[key] = *text;
      if (const auto* number = std::get_if<double>(&value)) arguments[key] = *number;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) arguments[key] = *integer;
    }
    return arguments;
  }

 private:
  const FieldValue& cell(std::size_t row, std::string_view column) const {
    static const FieldValue kAbsent;
    for (std::size_t c = 0; c < table_.info->columns.size(); ++c) {
      if (table_.info->columns[c].id == column) return table_.rows[row][c];
    }
    return kAbsent;
  }
  double total(std::string_view column) const {
    double sum = 0;
    for (std::size_t row = 0; row < size(); ++row) sum += time(row, column);
    return sum;
  }

  const Table& table_;
};

class TraceWriter {
 public:
  explicit TraceWriter(std::ostream& out) : out_(out) {
    out_ << R"({"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": [)";
  }
  void finish() { out_ << "\n]}\n"; }

  /// What a point was, and why there is none of it.
  void begin_point(const Point& point) {
    ++process_;
    std::string title;
    for (const auto& [key, value] : point.settings) title += (title.empty() ? "" : ", ") + key + " " + value;
    event({{"ph", "M"},
           {"name", "process_name"},
           {"pid", process_},
           {"tid", 0},
           {"args", {{"name", title}, {"status", name_of(point.status.kind)}, {"reason", point.status.reason}}}});
  }

  void add_nodes(const Nodes& nodes) {
    name_row(kHost, "host: calls in order, mean inference");
    const bool on_device = nodes.is_on_device();
    if (on_device) name_row(kDevice, "device: kernels in order, mean inference");
    double host = 0;
    double device = 0;
    for (std::size_t row = 0; row < nodes.size(); ++row) {
      ++id_;
      OrderedJson arguments = nodes.arguments(row);
      arguments["External id"] = id_;
      const double inside = nodes.time(row, "host_time");
      slice("cpu_op", nodes.words(row, "operator"), kHost, host, inside, arguments);
      host += inside;
      if (!on_device) continue;
      device += nodes.time(row, "gap");
      const double busy = nodes.time(row, "time");
      if (busy <= 0) continue;
      slice(
          "kernel", nodes.words(row, "operator"), kDevice, device, busy,
          {{"External id", id_}, {"device", process_ - 1}, {"stream", kDevice}, {"group", nodes.words(row, "group")}});
      device += busy;
    }
  }

 private:
  void event(const OrderedJson& event) {
    out_ << (first_ ? "\n" : ",\n") << dump_json(event);
    first_ = false;
  }
  void name_row(int thread, const char* text) {
    event({{"ph", "M"}, {"name", "thread_name"}, {"pid", process_}, {"tid", thread}, {"args", {{"name", text}}}});
  }
  void slice(const char* category, const std::string& text, int thread, double begin, double time,
             const OrderedJson& args) {
    event({{"ph", "X"},
           {"cat", category},
           {"name", text},
           {"pid", process_},
           {"tid", thread},
           {"ts", begin},
           {"dur", time},
           {"args", args}});
  }

  std::ostream& out_;
  bool first_ = true;
  int process_ = 0;
  std::int64_t id_ = 0;
};

}  // namespace

void write_trace(const Document& document, std::ostream& out) {
  TraceWriter writer(out);
  for (const Point& point : document.points) {
    writer.begin_point(point);
    for (const Table& table : point.tables) {
      if (table.info->id == "nodes") writer.add_nodes(Nodes(table));
    }
  }
  writer.finish();
}

}  // namespace nongemm
