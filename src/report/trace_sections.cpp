#include "report/trace_sections.h"

#include <algorithm>
#include <numeric>

#include "report/section_fields.h"

namespace nongemm {
namespace {

FieldValue seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }
FieldValue part(std::int64_t some, std::int64_t whole) {
  return share(static_cast<double>(some), static_cast<double>(whole));
}

bool has_device(const ToolFigures& figures) { return !figures.trace->trace.device.empty(); }
FieldValue of_device(const ToolFigures& figures, FieldValue value) {
  return has_device(figures) ? value : FieldValue{};
}
bool has_runs(const ToolFigures& figures) { return figures.trace->kind == "onnxruntime"; }

/// Of operators that are a runtime's nodes.
std::int64_t over_nodes(const ToolFigures& figures, std::int64_t ToolNode::*member) {
  const std::vector<ToolNode>& nodes = figures.trace->nodes;
  return std::accumulate(nodes.begin(), nodes.end(), std::int64_t{0},
                         [&](std::int64_t sum, const ToolNode& node) { return sum + node.*member; });
}

std::string joined_notes(const ToolFigures& figures) {
  std::string text;
  for (const std::string& note : figures.trace->notes) text += (text.empty() ? "" : "; ") + note;
  return text;
}

/// Absent where the file has nothing of a device.
FieldValue recorded(const ActivitySum& sum, FieldValue value) { return sum.recorded ? value : FieldValue{}; }

/// Of sums with an ActivitySum `sum`.
template <typename Row>
std::vector<Field<Row>> activity_fields() {
  return {
      {{"kernels", "Kernels", Unit::kCount, "launched"},
       [](const Row& row) { return recorded(row.sum, count(row.sum.kernels)); }},
      {{"kernel_time", "Kernel time", Unit::kSeconds, "durations of kernels, added up"},
       [](const Row& row) { return recorded(row.sum, seconds(row.sum.kernel_ns)); }},
      {{"copies", "Copies", Unit::kCount, "between host and device and within the device"},
       [](const Row& row) { return recorded(row.sum, count(row.sum.copies)); }},
      {{"copy_time", "Copy time", Unit::kSeconds, "durations of copies, added up"},
       [](const Row& row) { return recorded(row.sum, seconds(row.sum.copy_ns)); }},
  };
}

std::vector<Field<ToolFigures>> file_fields() {
  using F = ToolFigures;
  return {
      {{"kind", "Trace of", Unit::kText, "the tool that wrote the file"},
       [](const F& f) { return text(f.trace->kind); }},
      {{"events", "Events", Unit::kCount, "in the file, as far as they could be read"},
       [](const F& f) { return count(f.trace->events); }},
      {{"repaired", "Repaired", Unit::kCount, "events that were no valid text, but clear"},
       [](const F& f) { return count(f.trace->repaired); }},
      {{"dropped", "Dropped", Unit::kCount, "events that could not be read"},
       [](const F& f) { return count(f.trace->dropped); }},
  };
}

std::vector<Field<ToolFigures>> device_fields() {
  using F = ToolFigures;
  return {
      {{"kernels", "Kernels", Unit::kCount, "launched"}, [](const F& f) { return of_device(f, count(f.sum.kernels)); }},
      {{"kernel_time", "Kernel time", Unit::kSeconds, "durations of kernels, added up"},
       [](const F& f) { return of_device(f, seconds(f.sum.kernel_ns)); }},
      {{"copies", "Copies", Unit::kCount, "between host and device and within the device"},
       [](const F& f) { return of_device(f, count(f.sum.copies)); }},
      {{"copy_time", "Copy time", Unit::kSeconds, "durations of copies, added up"},
       [](const F& f) { return of_device(f, seconds(f.sum.copy_ns)); }},
      {{"fills", "Fills", Unit::kCount, "memory set by the device", true},
       [](const F& f) { return of_device(f, count(f.sum.fills)); }},
      {{"fill_time", "Fill time", Unit::kSeconds, "durations of fills, added up", true},
       [](const F& f) { return of_device(f, seconds(f.sum.fill_ns)); }},
      {{"gemm_share", "GEMM of kernel time", Unit::kShare, "share of kernel time in GEMM (and fused attention)"},
       [](const F& f) { return part(f.gemm_ns, f.sum.kernel_ns); }},
      {{"nongemm_share", "Non-GEMM of kernel time", Unit::kShare, "share of kernel time in all else"},
       [](const F& f) { return part(f.sum.kernel_ns - f.gemm_ns, f.sum.kernel_ns); }},
      {{"device_busy", "Device busy", Unit::kSeconds, "union of all activities"},
       [](const F& f) { return of_device(f, seconds(f.busy_ns)); }},
      {{"span", "Span", Unit::kSeconds, "from the first activity of the device to the last"},
       [](const F& f) { return of_device(f, seconds(f.span_ns)); }},
      {{"idle", "Idle", Unit::kSeconds, "of the span, without any activity"},
       [](const F& f) { return of_device(f, seconds(f.span_ns - f.busy_ns)); }},
      {{"overlap", "Overlap", Unit::kSeconds, "time of streams beside one another: their busy times less the union",
        true},
       [](const F& f) { return of_device(f, seconds(f.overlap_ns)); }},
      {{"streams", "Streams", Unit::kCount, "with activities"},
       [](const F& f) { return of_device(f, count(static_cast<std::int64_t>(f.streams.size()))); }},
      {{"devices", "Devices", Unit::kCount, "with activities"},
       [](const F& f) { return of_device(f, count(f.devices)); }},
      {{"unattributed", "Without operator", Unit::kShare, "share of kernel time that no operator launched"},
       [](const F& f) { return part(f.without_operator_ns, f.sum.kernel_ns); }},
  };
}

std::vector<Field<ToolFigures>> other_fields() {
  using F = ToolFigures;
  return {
      {{"runs", "Inferences", Unit::kCount, "that ONNX Runtime recorded", true},
       [](const F& f) {
         return has_runs(f) ? count(static_cast<std::int64_t>(f.trace->run_ns.size())) : FieldValue{};
       }},
      {{"nodes", "Nodes", Unit::kCount, "that ONNX Runtime ran, all inferences together", true},
       [](const F& f) { return has_runs(f) ? count(over_nodes(f, &ToolNode::calls)) : FieldValue{}; }},
      {{"node_time", "Node time", Unit::kSeconds, "inside those nodes, all inferences together", true},
       [](const F& f) { return has_runs(f) ? seconds(over_nodes(f, &ToolNode::total_ns)) : FieldValue{}; }},
      {{"notes", "Notes", Unit::kText, "what was odd, and what cannot be told from this file"},
       [](const F& f) { return text_if_any(joined_notes(f)); }},
  };
}

const Section<ToolFigures>& trace_section() {
  static const Section<ToolFigures> section({.id = "trace",
                                             .title = "Trace",
                                             .doc = "The file of another tool: direct sums over all of it.",
                                             .report = ReportKind::kPerformance,
                                             .single_row = true,
                                             .columns = {}},
                                            joined(joined(file_fields(), device_fields()), other_fields()));
  return section;
}

const Section<ToolOperator>& operator_section() {
  using O = ToolOperator;
  static const Section<O> section(
      {.id = "trace_operators",
       .title = "Operators of the trace",
       .doc = "Each kernel and copy with the innermost operator that launched it, as the tool names it.",
       .report = ReportKind::kPerformance,
       .most_rows = 15,
       .columns = {}},
      joined(joined<O>(
                 {{{"operator", "Operator", Unit::kText, "as the tool names it", false, 0, kMostOfName},
                   [](const O& o) { return text(o.name); }},
                  {{"group", "Group", Unit::kText,
                    "operator group of its kernels, of its copies where it launched none, else its own"},
                   [](const O& o) { return text(o.group ? info(*o.group).title : "several"); }},
                  {{"calls", "Calls", Unit::kCount, "in the whole file"}, [](const O& o) { return count(o.calls); }}},
                 activity_fields<O>()),
             {{{"gap", "Device waits", Unit::kSeconds, "idle time of the device before its activities"},
               [](const O& o) { return recorded(o.sum, seconds(o.gap_ns)); }},
              {{"gaps", "Waits", Unit::kCount, "how often the device was idle before its activities", true},
               [](const O& o) { return recorded(o.sum, count(o.gaps)); }},
              {{"longest_gap", "Longest wait", Unit::kSeconds, "the longest of those", true},
               [](const O& o) { return recorded(o.sum, seconds(o.longest_gap_ns)); }},
              {{"total_time", "Total host time", Unit::kSeconds, "inside its calls", true},
               [](const O& o) { return seconds(o.total_ns); }},
              {{"host_time", "Host time", Unit::kSeconds, "inside its calls, without operators that it called"},
               [](const O& o) { return seconds(o.host_ns); }}}));
  return section;
}

const Section<ToolKernel>& kernel_section() {
  using K = ToolKernel;
  static const Section<K> section(
      {.id = "trace_kernels",
       .title = "Kernels of the trace",
       .doc = "Kernels by time.",
       .report = ReportKind::kPerformance,
       .most_rows = 10,
       .columns = {}},
      {
          {{"kernel", "Kernel", Unit::kText, "its name", false, 0, kMostOfName},
           [](const K& k) { return text(k.name); }},
          {{"group", "Group", Unit::kText, "operator group"}, [](const K& k) { return text(info(k.group).title); }},
          {{"operator", "Operator", Unit::kText, "that launched most of it", false, 0, kMostOfName},
           [](const K& k) { return text(k.operator_name); }},
          {{"launches", "Launches", Unit::kCount, "in the whole file"}, [](const K& k) { return count(k.launches); }},
          {{"time", "Time", Unit::kSeconds, "durations, added up"}, [](const K& k) { return seconds(k.time_ns); }},
      });
  return section;
}

const Section<StreamSum>& stream_section() {
  using S = StreamSum;
  static const Section<S> section(
      {.id = "trace_streams",
       .title = "Streams of the trace",
       .doc = "Queues of work, and how long each had any.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(
          joined<S>(
              {{{"device", "Device", Unit::kCount, "its number"}, [](const S& s) { return count(s.stream.device); }},
               {{"stream", "Stream", Unit::kCount, "its number"}, [](const S& s) { return count(s.stream.stream); }}},
              activity_fields<S>()),
          {{{"busy", "Busy", Unit::kSeconds, "union of its activities"},
            [](const S& s) { return seconds(s.busy_ns); }}}));
  return section;
}

const Section<StepSum>& step_section() {
  using S = StepSum;
  static const Section<S> section(
      {.id = "trace_steps",
       .title = "Steps of the trace",
       .doc = "Stretches that the program marked, with what was launched within them.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(joined<S>(
                 {{{"step", "Step", Unit::kText, "as the program names it"}, [](const S& s) { return text(s.name); }},
                  {{"time", "Time", Unit::kSeconds, "of the host, from its begin to its end"},
                   [](const S& s) { return seconds(s.host_ns); }}},
                 activity_fields<S>()),
             {{{"busy", "Device busy", Unit::kSeconds, "union of the activities"},
               [](const S& s) { return recorded(s.sum, seconds(s.busy_ns)); }}}));
  return section;
}

const Section<CollectiveSum>& collective_section() {
  using C = CollectiveSum;
  static const Section<C> section(
      {.id = "trace_collectives",
       .title = "Collectives of the trace",
       .doc = "What ranks do together. With the files of all ranks, the time that each waited for the last one.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"collective", "Collective", Unit::kText, "as the tool or the kernel names it"},
           [](const C& c) { return text(c.name); }},
          {{"ranks", "Group", Unit::kText, "the group of ranks, where it is told"},
           [](const C& c) { return text(c.group); }},
          {{"calls", "Calls", Unit::kCount, "kernels"}, [](const C& c) { return count(c.calls); }},
          {{"time", "Time", Unit::kSeconds, "durations, added up"}, [](const C& c) { return seconds(c.time_ns); }},
          {{"exposed", "Exposed", Unit::kSeconds, "while the device did nothing else"},
           [](const C& c) { return seconds(c.time_ns - c.hidden_ns); }},
          {{"hidden", "Hidden", Unit::kSeconds, "while other work ran on the device"},
           [](const C& c) { return seconds(c.hidden_ns); }},
          {{"transfer", "Transfer", Unit::kSeconds,
            "of the time, what the rank that came last took for the same calls"},
           [](const C& c) { return c.waited_ns ? seconds(c.time_ns - *c.waited_ns) : FieldValue{}; }},
          {{"waited", "Waited", Unit::kSeconds, "beyond the rank that took least for the same call: it came last"},
           [](const C& c) { return c.waited_ns ? seconds(*c.waited_ns) : FieldValue{}; }},
      });
  return section;
}

struct GroupedRow {
  GroupedTime grouped;
  std::int64_t kernel_ns = 0;
};

const Section<GroupedRow>& grouped_section() {
  using G = GroupedRow;
  static const Section<G> section(
      {.id = "trace_grouping",
       .title = "Groups of the trace told by",
       .doc = "Kernel time by what told its group.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"by", "Groups told by", Unit::kText, "operators, names of generated kernels, names of kernels"},
           [](const G& g) { return text(title_of(g.grouped.by)); }},
          {{"time", "Kernel time", Unit::kSeconds, "of these kernels"},
           [](const G& g) { return seconds(g.grouped.time_ns); }},
          {{"share", "Share", Unit::kShare, "of all kernel time"},
           [](const G& g) { return part(g.grouped.time_ns, g.kernel_ns); }},
      });
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& trace_section_infos() {
  static const std::vector<const SectionInfo*> kInfos = {
      &trace_section().info(), &operator_section().info(), &kernel_section().info(),    &stream_section().info(),
      &step_section().info(),  &grouped_section().info(),  &collective_section().info()};
  return kInfos;
}

std::vector<Table> make_trace_tables(const ToolFigures& figures) {
  std::vector<Table> tables = {trace_section().fill(std::span(&figures, 1)),
                               operator_section().fill(figures.operators)};
  if (has_device(figures)) {
    tables.push_back(kernel_section().fill(figures.kernels));
    tables.push_back(stream_section().fill(figures.streams));
    std::vector<GroupedRow> rows;
    for (const GroupedTime& grouped : figures.grouped) rows.push_back({grouped, figures.sum.kernel_ns});
    tables.push_back(grouped_section().fill(rows));
  }
  if (!figures.steps.empty()) tables.push_back(step_section().fill(figures.steps));
  return tables;
}

Table make_collectives_table(const std::vector<CollectiveSum>& sums) { return collective_section().fill(sums); }

}  // namespace nongemm
