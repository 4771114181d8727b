#include "report/nongemm_sections.h"

#include "report/section_fields.h"

namespace nongemm {
namespace {

FieldValue seconds(const std::optional<double>& nanoseconds) {
  return nanoseconds ? FieldValue(*nanoseconds * 1e-9) : FieldValue{};
}

const Section<Bucket>& variant_section() {
  static const Section<Bucket> section(
      {.id = "variants",
       .title = "Non-GEMM variants",
       .doc = "Variants of each non-GEMM group with the traits of the paper's Table II.",
       .report = ReportKind::kNongemm,
       .columns = {}},
      {
          group_field<Bucket>(),
          variant_field<Bucket>("operator or composite module"),
          nodes_field<Bucket>("nodes of the graph"),
          time_field<Bucket>("of one inference"),
          share_field(),
          {{"single_operation", "1 op", Unit::kYesNo, "one arithmetic or memory operation"},
           [](const Bucket& b) -> FieldValue { return b.traits.single_operation; }},
          {{"single_operand", "1 operand", Unit::kYesNo, "one tensor operand besides parameters"},
           [](const Bucket& b) -> FieldValue { return b.traits.single_operand; }},
          {{"nonlinear", "Non-linear", Unit::kYesNo, "a non-linear function of its operand"},
           [](const Bucket& b) -> FieldValue { return b.traits.nonlinear; }},
          {{"dynamic", "Dynamic", Unit::kYesNo, "work or size depends on the data"},
           [](const Bucket& b) -> FieldValue { return b.traits.dynamic; }},
          {{"reduction", "Reduction", Unit::kYesNo, "results depend on many elements"},
           [](const Bucket& b) -> FieldValue { return b.traits.reduction; }},
          {{"example", "Example shapes", Unit::kText, "operands of the costliest call"},
           [](const Bucket& b) { return text(operand_shapes(b.operands)); }},
      });
  return section;
}

const Section<WhatIf>& what_if_section() {
  static const Section<WhatIf> section(
      {.id = "what_if",
       .title = "What if",
       .doc = "What the latency would be; limits are measured on this device.",
       .report = ReportKind::kNongemm,
       .most_rows = 9,
       .columns = {}},
      {
          {{"what", "Supposition", Unit::kText, "a group at the device's limit, fused away, launches free"},
           [](const WhatIf& w) { return text(w.what); }},
          {{"now", "Now", Unit::kSeconds, "time of the parts concerned"},
           [](const WhatIf& w) { return measured(w.now_s); }},
          {{"then", "Then", Unit::kSeconds, "time of these parts if it were so"},
           [](const WhatIf& w) { return measured(w.then_s); }},
          {{"latency", "Latency", Unit::kSeconds, "of the whole inference if it were so"},
           [](const WhatIf& w) { return measured(w.latency_s); }},
          {{"speedup", "Speed-up", Unit::kRatio, "of the whole inference"},
           [](const WhatIf& w) { return measured(w.speedup); }},
      });
  return section;
}

FieldValue queue_time(const DeviceLimits& limits, double QueueTimes::*time) {
  return limits.queue ? measured((*limits.queue).*time * 1e-9) : FieldValue{};
}

const Section<DeviceLimits>& limits_section() {
  using L = DeviceLimits;
  static const Section<L> section(
      {.id = "limits",
       .title = "Device limits",
       .doc = "What the device reached in measurements of its own; what operators are held against.",
       .report = ReportKind::kNongemm,
       .single_row = true,
       .columns = {}},
      {
          {{"device", "Device", Unit::kText, "its name"}, [](const L& l) { return text(l.device); }},
          {{"measured_at", "Measured at", Unit::kText, "UTC; --remeasure-limits measures again"},
           [](const L& l) { return text(l.measured_at); }},
          {{"copy_bandwidth", "Copy bandwidth", Unit::kByteRate, "of a large copy, reads and writes both counted"},
           [](const L& l) { return present(l.copy_bandwidth); }},
          {{"read_bandwidth", "Read bandwidth", Unit::kByteRate, "of a large reduction"},
           [](const L& l) { return present(l.read_bandwidth); }},
          {{"fp32_rate", "fp32 products", Unit::kFlopRate, "of a large square matrix product"},
           [](const L& l) { return present(l.fp32_rate); }},
          {{"tf32_rate", "TF32 products", Unit::kFlopRate, "the same with TF32"},
           [](const L& l) { return present(l.tf32_rate); }},
          {{"fp16_rate", "fp16 products", Unit::kFlopRate, "the same in fp16"},
           [](const L& l) { return present(l.fp16_rate); }},
          {{"bf16_rate", "bf16 products", Unit::kFlopRate, "the same in bf16"},
           [](const L& l) { return present(l.bf16_rate); }},
          {{"int8_rate", "int8 products", Unit::kFlopRate, "the same in int8, in operations"},
           [](const L& l) { return present(l.int8_rate); }},
          {{"launch", "Kernel launch", Unit::kSeconds, "host time of one launch in a row of many"},
           [](const L& l) { return seconds(l.launch_ns); }},
          {{"shortest", "Shortest", Unit::kSeconds, "the shortest kernel on a device, the shortest call on a host"},
           [](const L& l) { return present(l.shortest_kernel_s); }},
          {{"round_trip", "Launch and wait", Unit::kSeconds,
            "from the launch on an idle device to the end of the wait"},
           [](const L& l) { return seconds(l.round_trip_ns); }},
          {{"queue_start", "Launch to begin", Unit::kSeconds,
            "from the return of a launch to the begin of its kernel on an idle device", true},
           [](const L& l) { return queue_time(l, &QueueTimes::start_ns); }},
          {{"queue_switch", "Kernel to kernel", Unit::kSeconds, "from the end of a kernel to the next in the queue",
            true},
           [](const L& l) { return queue_time(l, &QueueTimes::switch_ns); }},
          {{"queue_return", "End to return", Unit::kSeconds,
            "from the end of the last kernel to the return of the wait", true},
           [](const L& l) { return queue_time(l, &QueueTimes::return_ns); }},
          {{"queue_wait", "Empty wait", Unit::kSeconds, "a wait when there is nothing to wait for", true},
           [](const L& l) { return queue_time(l, &QueueTimes::wait_ns); }},
          {{"queue_recorded_start", "Launch to begin, recorded", Unit::kSeconds, "while kernels are recorded", true},
           [](const L& l) { return queue_time(l, &QueueTimes::recorded_start_ns); }},
          {{"queue_recorded_switch", "Kernel to kernel, recorded", Unit::kSeconds, "while kernels are recorded", true},
           [](const L& l) { return queue_time(l, &QueueTimes::recorded_switch_ns); }},
          {{"queue_recording", "Recording a launch", Unit::kSeconds, "by how much it lengthens the call", true},
           [](const L& l) { return queue_time(l, &QueueTimes::recording_ns); }},
      });
  return section;
}

const Section<NodeRow>& node_section() {
  static const Section<NodeRow> section(
      {.id = "nodes",
       .title = "Operator trace",
       .doc = "Every node in program order.",
       .report = ReportKind::kNongemm,
       .bulk = true,
       .columns = {}},
      {
          {{"node", "Node", Unit::kCount, "position in the graph"},
           [](const NodeRow& n) { return count(static_cast<std::int64_t>(n.id)); }},
          operator_field<NodeRow>(),
          {{"scope", "Scope", Unit::kText, "module path"}, [](const NodeRow& n) { return text(n.scope); }},
          {{"module", "Module", Unit::kText, "class of the innermost module"},
           [](const NodeRow& n) { return text(n.module); }},
          group_field<NodeRow>(),
          variant_field<NodeRow>("operator or composite module"),
          shapes_field<NodeRow>(),
          {{"results", "Results", Unit::kText, "shapes of the results"},
           [](const NodeRow& n) { return text(result_shapes(n.results)); }},
          dtype_field<NodeRow>(),
          time_field<NodeRow>("kernels on a device, the call on a host"),
          host_time_field<NodeRow>("inside the call"),
          gap_field<NodeRow>("idle device time charged to this node"),
          wait_field<NodeRow>("inside the call: for the device to end its work"),
          {{"calls", "Calls", Unit::kCount,
            "per inference; loops call a node more than once; 0 inside of another operator, whose row has the time"},
           [](const NodeRow& n) { return measured(n.calls); }},
          flops_field<NodeRow>("of one call"),
          bytes_field<NodeRow>("least traffic of one call"),
          {{"limit", "At the limit", Unit::kSeconds, "of one call, at the device's measured limits"},
           [](const NodeRow& n) { return measured(n.limit_s); }},
          {{"wasted", "Above the limit", Unit::kSeconds, "time above the limit, of all calls"},
           [](const NodeRow& n) { return measured(n.wasted_s()); }},
          {{"alive", "Memory alive", Unit::kBytes,
            "weights and values alive when the node ends, by the graph's dataflow: what a runtime needs at least that "
            "frees at once"},
           [](const NodeRow& n) { return measured(n.alive_bytes); }},
      });
  return section;
}

std::vector<Field<Bucket>> call_fields() {
  return {
      operator_field<Bucket>(),
      group_field<Bucket>(),
      variant_field<Bucket>("operator or composite module"),
      shapes_field<Bucket>(),
      dtype_field<Bucket>(),
      nodes_field<Bucket>("nodes of this kind"),
      time_field<Bucket>("of all these nodes"),
      share_field(),
      gap_field<Bucket>("idle device time charged to these nodes", true),
      byte_rate_field(),
      flop_rate_field(),
      flops_field<Bucket>("of all these nodes"),
      bytes_field<Bucket>("least traffic of all these nodes"),
  };
}

const Section<Bucket>& call_section() {
  static const Section<Bucket> section({.id = "calls",
                                        .title = "Calls",
                                        .doc = "What was timed, by operator and shapes: nodes, or a runtime's steps.",
                                        .report = ReportKind::kNongemm,
                                        .bulk = true,
                                        .columns = {}},
                                       joined(call_fields(), limit_fields()));
  return section;
}

const Section<Bucket>& module_section() {
  static const Section<Bucket> section(
      {.id = "modules",
       .title = "Modules",
       .doc = "Modules of the model with everything inside them; the first is the whole model.",
       .report = ReportKind::kNongemm,
       .bulk = true,
       .columns = {}},
      joined<Bucket>(
          {
              {{"path", "Module", Unit::kText, "path of the module"}, [](const Bucket& b) { return text(b.name); }},
              {{"module", "Class", Unit::kText, "class of the module"},
               [](const Bucket& b) { return text_if_any(b.module); }},
              nodes_field<Bucket>("nodes inside"),
              time_field<Bucket>("of all nodes inside"),
              share_field(),
              gap_field<Bucket>("idle device time charged to nodes inside", true),
              {{"parameters", "Parameters", Unit::kCount, "of all nodes inside, tied weights at their first use"},
               [](const Bucket& b) { return count(b.parameters); }},
              flops_field<Bucket>("of all nodes inside"),
              bytes_field<Bucket>("least traffic of all nodes inside"),
          },
          limit_fields()));
  return section;
}

std::vector<Bucket> nongemm_variants(const Analysis& analysis) {
  std::vector<Bucket> rest;
  for (const Bucket& bucket : analysis.variants) {
    if (!counts_as_gemm(bucket.group, analysis.attention_is_gemm)) rest.push_back(bucket);
  }
  return rest;
}

}  // namespace

std::vector<const SectionInfo*> nongemm_section_infos() {
  return {&variant_section().info(), &what_if_section().info(), &limits_section().info(),
          &call_section().info(),    &module_section().info(),  &node_section().info()};
}

std::vector<Table> make_nongemm_tables(const RunFigures& figures) {
  std::vector<Table> tables;
  tables.push_back(variant_section().fill(nongemm_variants(*figures.analysis)));
  if (const DeviceLimits* limits = figures.limits()) tables.push_back(limits_section().fill(std::span(limits, 1)));
  if (figures.roofline != nullptr) tables.push_back(what_if_section().fill(figures.roofline->what_if));
  tables.push_back(call_section().fill(figures.analysis->calls));
  tables.push_back(module_section().fill(figures.analysis->modules));
  tables.push_back(node_section().fill(figures.analysis->nodes));
  return tables;
}

}  // namespace nongemm
