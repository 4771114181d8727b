#include "report/fusion_sections.h"

#include "report/section_fields.h"

namespace nongemm {
namespace {

const Section<FusionAnalysis>& fusion_section() {
  using F = FusionAnalysis;
  static const Section<F> section(
      {.id = "fusion",
       .title = "Fusion",
       .doc =
           "What the runtime's optimiser made of the graph. Nodes are graph nodes outside GEMM and attention that do "
           "work: views are left out.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      {
          {{"rate", "Fusion rate", Unit::kShare, "nodes that ran in one step with another node, of those that ran"},
           [](const F& f) { return measured(f.rate()); }},
          {{"nongemm_nodes", "Non-GEMM nodes", Unit::kCount, "of the graph, views left out"},
           [](const F& f) { return count(f.nongemm_nodes); }},
          {{"fused_into_gemm", "Fused into GEMM", Unit::kCount, "nodes in a step with a matrix product or attention"},
           [](const F& f) { return count(f.fused_into_gemm); }},
          {{"fused_among_nongemm", "Fused with each other", Unit::kCount, "nodes in a step without a matrix product"},
           [](const F& f) { return count(f.fused_among_nongemm); }},
          {{"in_several_steps", "In several steps", Unit::kCount,
            "nodes that more than one step computes: each a part of it, or all again where that is cheaper than "
            "keeping it"},
           [](const F& f) { return count(f.in_several_steps); }},
          {{"folded", "Folded at load", Unit::kCount, "nodes computed when the model was loaded, or dropped"},
           [](const F& f) { return count(f.folded_nodes); }},
          {{"nongemm_time", "Non-GEMM time", Unit::kSeconds, "of the runtime's steps that are no GEMM"},
           [](const F& f) { return measured(f.nongemm_s); }},
          {{"nongemm_before", "Non-GEMM time, torch", Unit::kSeconds, "of the same graph, node by node"},
           [](const F& f) { return measured(f.baseline_nongemm_s.value_or(kNaN)); }},
          {{"nongemm_speedup", "Non-GEMM speed-up", Unit::kRatio, "torch over this flow"},
           [](const F& f) { return share(f.baseline_nongemm_s.value_or(kNaN), f.nongemm_s); }},
          {{"steps", "Steps", Unit::kCount, "of the runtime's program"}, [](const F& f) { return count(f.steps); }},
          {{"added_steps", "Added steps", Unit::kCount, "copies, casts, reformats that the graph does not have"},
           [](const F& f) { return count(f.added_steps); }},
          {{"added_time", "Added time", Unit::kSeconds, "of these"}, [](const F& f) { return measured(f.added_s); }},
          {{"copies_to_device", "Copies to device", Unit::kCount, "that the runtime inserted"},
           [](const F& f) { return count(f.copies_to_device); }},
          {{"copies_to_host", "Copies to host", Unit::kCount, "that the runtime inserted"},
           [](const F& f) { return count(f.copies_to_host); }},
          {{"copied_bytes", "Copied", Unit::kBytes, "between host and device by inserted copies"},
           [](const F& f) { return measured(f.copied_bytes); }},
          {{"copy_time", "Copy time", Unit::kSeconds, "of inserted copies", true},
           [](const F& f) { return measured(f.copy_s); }},
          {{"opaque_share", "Inside fused blocks", Unit::kShare,
            "time in blocks of which the runtime does not say what happens inside"},
           [](const F& f) { return measured_if(f.opaque_s > 0, f.step_s > 0 ? f.opaque_s / f.step_s : kNaN); }},
          {{"mapped_time", "Time mapped", Unit::kShare, "share of the steps' time whose graph nodes are known"},
           [](const F& f) { return measured(f.mapped_time); }},
          {{"mapped_steps", "Steps mapped", Unit::kShare, "share of steps whose graph nodes are known", true},
           [](const F& f) { return measured(f.mapped_steps); }},
          {{"found_nodes", "Nodes found", Unit::kShare, "share of nodes, GEMM included, in some step or folded", true},
           [](const F& f) { return measured(f.found_nodes); }},
      });
  return section;
}

const Section<GroupChange>& group_section() {
  using G = GroupChange;
  static const Section<G> section(
      {.id = "fusion_groups",
       .title = "Groups before and after",
       .doc = "Operator groups node by node (torch) and in this runtime. A fused step counts to its costliest node's "
              "group, to GEMM when it holds a product; attention that runs in parts counts by its parts.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          group_field<G>(),
          nodes_field<G>("of the graph, views left out"),
          {{"fused", "Fused", Unit::kShare, "share of these that ran in one step with another"},
           [](const G& g) { return share(static_cast<double>(g.fused), static_cast<double>(g.nodes)); }},
          {{"before", "Before", Unit::kSeconds, "in the torch flow"},
           [](const G& g) { return measured_if(g.before_s > 0, g.before_s); }},
          {{"after", "After", Unit::kSeconds, "in this flow"}, [](const G& g) { return measured(g.after_s); }},
          {{"speedup", "Speed-up", Unit::kRatio, "before over after"},
           [](const G& g) { return measured_if(g.before_s > 0 && g.after_s > 0, g.before_s / g.after_s); }},
      });
  return section;
}

const Section<PatternSum>& pattern_section() {
  using P = PatternSum;
  static const Section<P> section(
      {.id = "fusion_patterns",
       .title = "Fusion patterns",
       .doc = "What kinds of nodes run as one step.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"pattern", "Pattern", Unit::kText, "kind of step"}, [](const P& p) { return text(title_of(p.pattern)); }},
          {{"steps", "Steps", Unit::kCount, "of this kind"}, [](const P& p) { return count(p.steps); }},
          nodes_field<P>("graph nodes that they cover, views left out"),
          time_field<P>("of one inference"),
      });
  return section;
}

const Section<OperatorFate>& operator_section() {
  using O = OperatorFate;
  static const Section<O> section(
      {.id = "fusion_operators",
       .title = "Operators after fusion",
       .doc = "What became of each non-GEMM operator; time is left where fusion did not help.",
       .report = ReportKind::kNongemm,
       .columns = {}},
      {
          operator_field<O>(),
          group_field<O>(),
          nodes_field<O>("of the graph"),
          {{"fused_into_gemm", "Into GEMM", Unit::kCount, "in a step with a matrix product or attention"},
           [](const O& o) { return count(o.fused_into_gemm); }},
          {{"fused_among_nongemm", "With others", Unit::kCount, "in a step without a matrix product"},
           [](const O& o) { return count(o.fused_among_nongemm); }},
          {{"folded", "Folded", Unit::kCount, "computed at load, or dropped"},
           [](const O& o) { return count(o.folded); }},
          {{"alone", "Alone", Unit::kCount, "in steps of their own"}, [](const O& o) { return count(o.alone); }},
          {{"alone_time", "Time alone", Unit::kSeconds, "of the steps of their own"},
           [](const O& o) { return measured(o.alone_s); }},
      });
  return section;
}

const Section<StepRow>& step_section() {
  using S = StepRow;
  static const Section<S> section(
      {.id = "steps",
       .title = "Runtime steps",
       .doc = "The runtime's program in its order of execution.",
       .report = ReportKind::kNongemm,
       .most_rows = 40,
       .columns = {}},
      {
          {{"name", "Step", Unit::kText, "as the runtime names it"}, [](const S& s) { return text(s.name); }},
          {{"type", "Type", Unit::kText, "as the runtime names it", false, 2},
           [](const S& s) { return text(s.row.op); }},
          {{"provider", "Runs on", Unit::kText, "where the runtime has several places", false, 5},
           [](const S& s) { return text_if_any(s.provider); }},
          {{"group", "Group", Unit::kText, "operator group"}, [](const S& s) { return text(info(s.row.group).title); }},
          {{"pattern", "Pattern", Unit::kText, "what is fused in it", false, 1},
           [](const S& s) { return s.added ? text("added") : text(title_of(s.pattern)); }},
          {{"covers", "Covers", Unit::kText, "operators of the graph nodes that it implements"},
           [](const S& s) { return text(s.covers); }},
          nodes_field<S>("graph nodes that it implements"),
          {{"repeated", "Repeated", Unit::kCount,
            "of these, nodes that a step before it computes, too: in parts, or again where that is cheaper than "
            "keeping them",
            false, 3},
           [](const S& s) { return s.repeated > 0 ? count(s.repeated) : FieldValue{}; }},
          {{"scope", "Scope", Unit::kText, "module path of the node that gives the group", false, 4},
           [](const S& s) { return text(s.row.scope); }},
          {{"opaque", "Opaque", Unit::kYesNo, "the runtime does not say what happens inside", false, 6},
           [](const S& s) -> FieldValue { return s.opaque; }},
          {{"time", "Time", Unit::kSeconds, "kernels on a device, the call on a host"},
           [](const S& s) { return measured(s.row.time_s); }},
          {{"bytes", "Bytes", Unit::kBytes, "least traffic of one call"},
           [](const S& s) { return measured(s.row.cost.bytes()); }},
      });
  return section;
}

const Section<NodeFate>& fate_section() {
  using N = NodeFate;
  static const Section<N> section(
      {.id = "node_fates",
       .title = "What became of each node",
       .doc = "The graph's nodes in program order, and the step of the runtime that each runs in.",
       .report = ReportKind::kNongemm,
       .bulk = true,
       .columnar = true,
       .columns = {}},
      {
          {{"node", "Node", Unit::kCount, "position in the graph"},
           [](const N& n) { return count(static_cast<std::int64_t>(n.node->id)); }},
          {{"operator", "Operator", Unit::kText, "schema name and overload"},
           [](const N& n) { return text(n.node->op); }},
          {{"group", "Group", Unit::kText, "operator group"},
           [](const N& n) { return text(info(n.node->group).title); }},
          {{"scope", "Scope", Unit::kText, "module path"}, [](const N& n) { return text(n.node->scope); }},
          {{"fate", "Fate", Unit::kText, "alone, fused, folded"}, [](const N& n) { return text(title_of(n.kind)); }},
          {{"step", "Step", Unit::kCount, "position in the runtime's program of the first step that covers it"},
           [](const N& n) { return n.step == kNoId ? FieldValue{} : count(static_cast<std::int64_t>(n.step)); }},
          {{"steps", "Steps", Unit::kCount, "that cover it: each a part of it, or all again"},
           [](const N& n) { return count(n.steps); }},
      });
  return section;
}

const Section<FlowFigures>& flow_section() {
  using F = FlowFigures;
  static const Section<F> section(
      {.id = "flows",
       .title = "Flows side by side",
       .doc = "The same model, inputs and weights in each flow of the sweep so far.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"flow", "Flow", Unit::kText, "deployment flow"}, [](const F& f) { return text(f.flow); }},
          {{"latency", "Latency", Unit::kSeconds, "median, nothing recorded"},
           [](const F& f) { return measured(f.latency_s); }},
          {{"gemm", "GEMM", Unit::kSeconds, "of the node pass"}, [](const F& f) { return measured(f.gemm_s); }},
          {{"nongemm", "Non-GEMM", Unit::kSeconds, "of the node pass"},
           [](const F& f) { return measured(f.nongemm_s); }},
          {{"nongemm_share", "of operators", Unit::kShare, "non-GEMM time over the time of all operators"},
           [](const F& f) { return share(f.nongemm_s, f.gemm_s + f.nongemm_s); }},
          {{"memory_share", "Memory", Unit::kShare, "layout and movement over the time of all operators"},
           [](const F& f) { return share(f.memory_s, f.gemm_s + f.nongemm_s); }},
          {{"communication_share", "Copies", Unit::kShare, "copies between host and device, likewise"},
           [](const F& f) { return share(f.communication_s, f.gemm_s + f.nongemm_s); }},
          {{"idle_share", "Waits", Unit::kShare, "of the node pass in which the device had nothing to do"},
           [](const F& f) { return measured_if(f.idle_s > 0, f.wall_s > 0 ? f.idle_s / f.wall_s : kNaN); }},
          {{"outside_share", "Outside", Unit::kShare, "of the node pass in no operator"},
           [](const F& f) { return share(f.outside_s, f.wall_s); }},
          {{"steps", "Steps", Unit::kCount, "nodes of the graph, or steps of the runtime"},
           [](const F& f) { return count(f.steps); }},
          {{"fusion_rate", "Fused", Unit::kShare, "of the non-GEMM nodes"},
           [](const F& f) { return measured(f.fusion_rate.value_or(kNaN)); }},
      });
  return section;
}

const Section<OutputDifference>& check_section() {
  using D = OutputDifference;
  static const Section<D> section(
      {.id = "check",
       .title = "Outputs against the torch flow",
       .doc = "The largest differences of each output.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"output", "Output", Unit::kText, "its name in the original"}, [](const D& d) { return text(d.name); }},
          {{"shape", "Shape", Unit::kText, "of the output"}, [](const D& d) { return text(to_string(d.shape)); }},
          {{"absolute", "Largest difference", Unit::kNumber, "absolute; infinite where one of the two is no number"},
           [](const D& d) { return d.mismatch.empty() ? measured(d.largest_absolute) : FieldValue{}; }},
          {{"relative", "Relative", Unit::kNumber, "to the largest magnitude of the output"},
           [](const D& d) { return d.mismatch.empty() ? measured(d.largest_relative) : FieldValue{}; }},
          {{"mismatch", "Mismatch", Unit::kText, "why they cannot be compared"},
           [](const D& d) { return text_if_any(d.mismatch); }},
      });
  return section;
}

}  // namespace

FlowFigures flow_figures(const std::string& flow, double latency_s, const Analysis& analysis,
                         const FusionAnalysis* fusion) {
  FlowFigures figures;
  figures.flow = flow;
  figures.latency_s = latency_s;
  figures.steps = static_cast<std::int64_t>(analysis.nodes.size());
  if (fusion != nullptr) figures.fusion_rate = fusion->rate();
  if (!analysis.measured) {
    figures.wall_s = figures.gemm_s = figures.nongemm_s = figures.outside_s = kNaN;
    return figures;
  }
  figures.wall_s = analysis.wall_s;
  figures.gemm_s = analysis.gemm_s;
  figures.nongemm_s = analysis.nongemm_s;
  figures.outside_s = analysis.outside_s;
  if (analysis.on_device) figures.idle_s = analysis.gap_s + analysis.head_s + analysis.tail_s;
  for (const Bucket& group : analysis.groups) {
    if (group.group == Group::kMemoryLayout || group.group == Group::kMemoryMovement) figures.memory_s += group.time_s;
    if (group.group == Group::kCommunication) figures.communication_s += group.time_s;
  }
  return figures;
}

const std::vector<const SectionInfo*>& fusion_section_infos() {
  static const std::vector<const SectionInfo*> kAll = {
      &flow_section().info(),    &check_section().info(),    &fusion_section().info(), &group_section().info(),
      &pattern_section().info(), &operator_section().info(), &step_section().info(),   &fate_section().info()};
  return kAll;
}

std::vector<Table> make_fusion_tables(const FusionAnalysis& fusion) {
  return {fusion_section().fill(std::span(&fusion, 1)), group_section().fill(fusion.groups),
          pattern_section().fill(fusion.patterns),      operator_section().fill(fusion.operators),
          step_section().fill(fusion.program),          fate_section().fill(fusion.nodes)};
}

Table make_check_table(const std::vector<OutputDifference>& outputs) { return check_section().fill(outputs); }

Table make_flows_table(const std::vector<FlowFigures>& flows) { return flow_section().fill(flows); }

}  // namespace nongemm
