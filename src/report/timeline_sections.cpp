#include "report/timeline_sections.h"

#include <algorithm>

#include "record/timeline.h"
#include "report/section_fields.h"

namespace nongemm {
namespace {

/// Of the longest ones.
constexpr std::size_t kMostGaps = 20;

FieldValue at(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }
FieldValue node_of(NodeId node) { return node == kNoId ? FieldValue{} : count(static_cast<std::int64_t>(node)); }

struct Overview {
  const Timeline& timeline;
  const std::string& how;
};

const Section<Overview>& overview_section() {
  using O = Overview;
  static const Section<O> section(
      {.id = "timeline",
       .title = "Timeline",
       .doc = "One inference in time, recording included: the shortest of those in which calls and launches were seen; "
              "of another tool's trace everything in it.",
       .report = ReportKind::kNongemm,
       .single_row = true,
       .columns = {}},
      {
          {{"wall", "Wall time", Unit::kSeconds, "of this inference"},
           [](const O& o) { return at(o.timeline.wall_ns); }},
          {{"head", "Head", Unit::kSeconds, "until the device, or the first call on a host, begins"},
           [](const O& o) { return at(o.timeline.head_ns); }},
          {{"tail", "Tail", Unit::kSeconds, "from the end of the last of these to the return"},
           [](const O& o) { return at(o.timeline.tail_ns); }},
          {{"left_out", "Left out", Unit::kCount, "records after the most that a report keeps (--keep timeline)"},
           [](const O& o) { return count(static_cast<std::int64_t>(o.timeline.left_out)); }},
          {{"how", "Records", Unit::kText, "the kind of records"}, [](const O& o) { return text_if_any(o.how); }},
      });
  return section;
}

template <typename Entry>
std::vector<Field<Entry>> entry_fields() {
  return {
      {{"begin", "Begin", Unit::kSeconds, "from the begin of the inference"},
       [](const Entry& e) { return at(e.begin_ns); }},
      {{"duration", "Duration", Unit::kSeconds, "from begin to end"}, [](const Entry& e) { return at(e.duration_ns); }},
      {{"node", "Node", Unit::kCount, "position of the node in the graph, or of the step in the runtime's program"},
       [](const Entry& e) { return node_of(e.node); }},
  };
}

template <typename Entry>
Field<Entry> gap_before_field(std::string_view doc) {
  return {{"gap", "Gap before", Unit::kSeconds, doc}, [](const Entry& e) { return at(e.gap_ns); }};
}

SectionInfo entries_info(std::string_view id, std::string_view title, std::string_view doc) {
  return {.id = id,
          .title = title,
          .doc = doc,
          .report = ReportKind::kNongemm,
          .bulk = true,
          .columnar = true,
          .columns = {}};
}

const Section<TimelineEntry>& call_section() {
  static const Section<TimelineEntry> section(
      entries_info("timeline_calls", "Calls in time", "What the host called, in order."),
      joined(entry_fields<TimelineEntry>(),
             {gap_before_field<TimelineEntry>("in no call before it, where the host does the work")}));
  return section;
}

const Section<TimelineEntry>& wait_section() {
  static const Section<TimelineEntry> section(
      entries_info("timeline_waits", "Waits in time", "Calls in which the host waited for the device."),
      entry_fields<TimelineEntry>());
  return section;
}

const Section<TimelineRecord>& device_section() {
  using R = TimelineRecord;
  static const Section<R> section(
      entries_info("timeline_device", "Device in time", "What the device did, in order."),
      joined(entry_fields<R>(),
             {
                 gap_before_field<R>("the device had nothing to do before it; charged to its node"),
                 {{"launch", "Launch", Unit::kSeconds, "when the host called for it, from the begin of the inference"},
                  [](const R& r) { return r.launch_ns < 0 ? FieldValue{} : at(r.launch_ns); }},
                 {{"stream", "Stream", Unit::kCount, "the device's queue"},
                  [](const R& r) { return count(static_cast<std::int64_t>(r.stream)); }},
                 {{"kernel", "Kernel", Unit::kText, "its name, or the kind of copy"},
                  [](const R& r) { return text(r.name); }},
                 {{"bytes", "Bytes", Unit::kBytes, "of copies and fills"},
                  [](const R& r) { return r.bytes == 0 ? FieldValue{} : count(static_cast<std::int64_t>(r.bytes)); }},
             }));
  return section;
}

/// A gap with what waited for it.
struct Gap {
  const TimelineEntry* before;
  const NodeRow* node;  // nullptr where that is not known
  const std::string* kernel;
};

const Section<Gap>& gap_section() {
  using G = Gap;
  static const Section<G> section(
      {.id = "gaps",
       .title = "Longest gaps",
       .doc = "Where the device had nothing to do, or a host was in no call, and which operator was waited for.",
       .report = ReportKind::kNongemm,
       .most_rows = 5,
       .columns = {}},
      {
          {{"gap", "Gap", Unit::kSeconds, "its length, recording included"},
           [](const G& g) { return at(g.before->gap_ns); }},
          {{"begin", "Begin", Unit::kSeconds, "from the begin of the inference"},
           [](const G& g) { return at(g.before->begin_ns - g.before->gap_ns); }},
          {{"operator", "Waits for", Unit::kText, "the operator that it is charged to"},
           [](const G& g) { return g.node == nullptr ? FieldValue{} : text(g.node->op); }},
          {{"node", "Node", Unit::kCount, "position of the node in the graph, or of the step in the runtime's program"},
           [](const G& g) { return node_of(g.before->node); }},
          {{"scope", "Scope", Unit::kText, "module path", false, 1},
           [](const G& g) { return g.node == nullptr ? FieldValue{} : text(g.node->scope); }},
          {{"kernel", "Kernel", Unit::kText, "that ends the gap", true},
           [](const G& g) { return g.kernel == nullptr ? FieldValue{} : text(*g.kernel); }},
      });
  return section;
}

template <typename Entry>
void add_gaps(const std::vector<Entry>& entries, const Analysis& analysis, std::vector<Gap>& gaps) {
  for (const Entry& entry : entries) {
    if (entry.gap_ns <= 0) continue;
    Gap& gap = gaps.emplace_back(Gap{&entry, nullptr, nullptr});
    if (entry.node < analysis.nodes.size()) gap.node = &analysis.nodes[entry.node];
    if constexpr (std::is_same_v<Entry, TimelineRecord>) gap.kernel = &entry.name;
  }
}

std::vector<Gap> longest_gaps(const Timeline& timeline, const Analysis& analysis) {
  std::vector<Gap> gaps;
  add_gaps(timeline.calls, analysis, gaps);
  add_gaps(timeline.device, analysis, gaps);
  std::stable_sort(gaps.begin(), gaps.end(),
                   [](const Gap& a, const Gap& b) { return a.before->gap_ns > b.before->gap_ns; });
  gaps.resize(std::min(gaps.size(), kMostGaps));
  return gaps;
}

}  // namespace

std::vector<const SectionInfo*> timeline_section_infos() {
  return {&overview_section().info(), &gap_section().info(), &call_section().info(), &wait_section().info(),
          &device_section().info()};
}

std::vector<Table> make_timeline_tables(const RunFigures& figures) {
  const Phase* phase = figures.inference();
  if (phase == nullptr) return {};
  const NodePass& pass = phase->devices.front().nodes;
  if (figures.timeline == nullptr && !pass.example) return {};
  const Timeline timeline =
      figures.timeline != nullptr ? *figures.timeline : timeline_of(*pass.example, figures.most_records);
  const Overview overview{timeline, pass.how};
  std::vector<Table> tables = {overview_section().fill(std::span(&overview, 1)),
                               gap_section().fill(longest_gaps(timeline, *figures.analysis)),
                               call_section().fill(timeline.calls)};
  if (!timeline.waits.empty()) tables.push_back(wait_section().fill(timeline.waits));
  if (!timeline.device.empty()) tables.push_back(device_section().fill(timeline.device));
  return tables;
}

}  // namespace nongemm
