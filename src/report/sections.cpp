#include "report/sections.h"

#include <limits>

#include "report/document.h"
#include "report/engine_sections.h"
#include "report/fusion_sections.h"

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A run's figures with the summaries that several fields share.
struct Performance {
  const RunFigures& run;
  Summary latency;
  Summary traced;

  const Analysis& analysis() const { return *run.analysis; }
  double share(double seconds) const { return analysis().wall_s > 0 ? seconds / analysis().wall_s : kNaN; }
};

FieldValue count(std::int64_t value) { return value; }
FieldValue text(std::string_view value) { return std::string(value); }

double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : kNaN; }

FieldValue present(const std::optional<double>& value) { return value ? FieldValue(*value) : FieldValue{}; }
FieldValue seconds(const std::optional<double>& nanoseconds) {
  return nanoseconds ? FieldValue(*nanoseconds * 1e-9) : FieldValue{};
}

/// The counter moves every 20 to 100 ms: less than a second of work says little.
double energy_per_inference(const Measurement& measurement) {
  const auto& before = measurement.before;
  const auto& after = measurement.after;
  constexpr std::int64_t kLeastNs = 1'000'000'000;
  if (!before.energy_joules || !after.energy_joules || after.time_ns - before.time_ns < kLeastNs) return kNaN;
  return (*after.energy_joules - *before.energy_joules) / static_cast<double>(measurement.latency_s.size());
}

/// Steps that the kind of data does not have stay out of the report.
FieldValue step_of_preprocessing(const Performance& p, double data::PreprocessTimes::*step) {
  if (!p.run.preprocessing) return {};
  return measured_if((*p.run.preprocessing).*step > 0, (*p.run.preprocessing).*step);
}

const Section<Performance>& performance_section() {
  using P = Performance;
  static const Section<P> section(
      {.id = "performance",
       .title = "Performance",
       .doc = "One inference, end to end.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      {
          {{"latency", "Latency (median)", Unit::kSeconds, "wall time of one inference, nothing recorded"},
           [](const P& p) { return measured(p.latency.median); }},
          {{"latency_p10", "Latency p10", Unit::kSeconds, "10th percentile"},
           [](const P& p) { return measured(p.latency.p10); }},
          {{"latency_p90", "Latency p90", Unit::kSeconds, "90th percentile"},
           [](const P& p) { return measured(p.latency.p90); }},
          {{"latency_low", "95 % interval, low", Unit::kSeconds, "bootstrap interval of the median", true},
           [](const P& p) { return measured(p.latency.interval.low); }},
          {{"latency_high", "95 % interval, high", Unit::kSeconds, "bootstrap interval of the median", true},
           [](const P& p) { return measured(p.latency.interval.high); }},
          {{"iterations", "Iterations (n)", Unit::kCount, "samples of the latency pass, warm-up excluded"},
           [](const P& p) { return count(p.latency.count); }},
          {{"stopping_rule", "Stopping rule", Unit::kText, "when the latency pass ended", true},
           [](const P& p) { return text(p.run.measurement->stopping_rule); }},
          {{"throughput", "Samples", Unit::kPerSecond, "batch over median latency"},
           [](const P& p) { return measured(rate(static_cast<double>(p.run.batch), p.latency.median)); }},
          {{"tokens_per_second", "Tokens", Unit::kPerSecond, "tokens of the batch over median latency", true},
           [](const P& p) {
             return measured_if(p.run.tokens > 0,
                                rate(static_cast<double>(p.run.batch * p.run.tokens), p.latency.median));
           }},
          {{"gemm_share", "GEMM", Unit::kShare, "share of the node pass in GEMM (and fused attention)"},
           [](const P& p) { return measured(p.share(p.analysis().gemm_s)); }},
          {{"nongemm_share", "Non-GEMM", Unit::kShare, "share of the node pass in all other operators"},
           [](const P& p) { return measured(p.share(p.analysis().nongemm_s)); }},
          {{"gap_share", "Device waits", Unit::kShare, "share in which the device had nothing to do"},
           [](const P& p) {
             const Analysis& a = p.analysis();
             return measured_if(a.on_device, p.share(a.gap_s + a.head_s + a.tail_s));
           }},
          {{"outside_share", "Outside operators", Unit::kShare,
            "the executor's own time on a host; on a device what the parts do not explain"},
           [](const P& p) { return measured(p.share(p.analysis().outside_s)); }},
          {{"gemm_time", "GEMM time", Unit::kSeconds, "of one inference", true},
           [](const P& p) { return measured(p.analysis().measured ? p.analysis().gemm_s : kNaN); }},
          {{"nongemm_time", "Non-GEMM time", Unit::kSeconds, "of one inference", true},
           [](const P& p) { return measured(p.analysis().measured ? p.analysis().nongemm_s : kNaN); }},
          {{"dominant_group", "Dominant non-GEMM group", Unit::kText, "the non-GEMM group with the most time"},
           [](const P& p) -> FieldValue {
             if (!p.analysis().dominant) return std::monostate{};
             return std::string(info(*p.analysis().dominant).title);
           }},
          {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once, weights included"},
           [](const P& p) -> FieldValue {
             if (!p.run.measurement->memory) return std::monostate{};
             return static_cast<std::int64_t>(p.run.measurement->memory->peak);
           }},
          {{"weight_memory", "Weights", Unit::kBytes, "bytes of all parameters and buffers"},
           [](const P& p) { return measured(p.analysis().weight_bytes); }},
          {{"flops", "Work", Unit::kFlops, "floating point operations of one inference"},
           [](const P& p) { return measured(p.analysis().total.flops); }},
          {{"flop_rate", "Rate", Unit::kFlopRate, "work over median latency"},
           [](const P& p) { return measured(rate(p.analysis().total.flops, p.latency.median)); }},
          {{"device_busy", "Device busy", Unit::kSeconds, "union of all device activity", true},
           [](const P& p) { return measured_if(p.analysis().on_device, p.run.measurement->nodes.device_busy_s); }},
          {{"traced_latency", "Node pass latency", Unit::kSeconds, "median of the pass that tells nodes apart", true},
           [](const P& p) { return measured(p.traced.median); }},
          {{"overhead", "Node pass / plain", Unit::kRatio,
            "what telling nodes apart costs: median ratio of traced runs and plain ones, taken in turns"},
           [](const P& p) {
             return measured(paired_ratio(p.run.measurement->nodes.wall_s, p.run.measurement->nodes.plain_s));
           }},
          {{"parts", "Parts / wall", Unit::kRatio,
            "sum of all nodes, waits and the rest over the node pass's wall time", true},
           [](const P& p) {
             const Analysis& a = p.analysis();
             return measured(rate(a.gemm_s + a.nongemm_s + a.gap_s + a.head_s + a.tail_s, a.wall_s));
           }},
          {{"attributed", "Kernel time in nodes", Unit::kShare, "share of kernel time that belongs to a node", true},
           [](const P& p) { return measured_if(p.analysis().on_device, p.run.measurement->nodes.attributed); }},
          {{"how", "Node pass records", Unit::kText, "what the node pass recorded", true},
           [](const P& p) { return text(p.run.measurement->nodes.how); }},
          {{"energy", "Energy", Unit::kJoules,
            "of one inference; absent when the plain pass was too short for the counter"},
           [](const P& p) { return measured(energy_per_inference(*p.run.measurement)); }},
          {{"power", "Power", Unit::kWatts, "the device's own reading after the plain pass", true},
           [](const P& p) { return present(p.run.measurement->after.power_watts); }},
          {{"clock", "Clock", Unit::kHertz, "of the multiprocessors after the plain pass", true},
           [](const P& p) {
             const auto& mhz = p.run.measurement->after.sm_clock_mhz;
             return mhz ? FieldValue(*mhz * 1e6) : FieldValue{};
           }},
          {{"throttled", "Throttled", Unit::kYesNo, "power or heat slowed the device during the plain pass", true},
           [](const P& p) -> FieldValue {
             return p.run.measurement->before.throttled || p.run.measurement->after.throttled;
           }},
          {{"setup", "Set-up", Unit::kSeconds, "graph, weights and inputs, before the first inference", true},
           [](const P& p) { return measured(p.run.setup_s); }},
          {{"preprocessing", "Preprocessing", Unit::kSeconds,
            "reading and preparing one batch of data; not part of the latency"},
           [](const P& p) { return p.run.preprocessing ? measured(p.run.preprocessing->total()) : FieldValue{}; }},
          {{"preprocess_decode", "  Decode", Unit::kSeconds, "of preprocessing: reading and decoding images"},
           [](const P& p) { return step_of_preprocessing(p, &data::PreprocessTimes::decode); }},
          {{"preprocess_resize", "  Resize", Unit::kSeconds, "of preprocessing: resizing and cropping"},
           [](const P& p) { return step_of_preprocessing(p, &data::PreprocessTimes::resize); }},
          {{"preprocess_normalize", "  Normalise", Unit::kSeconds, "of preprocessing: normalising, padding, batching"},
           [](const P& p) { return step_of_preprocessing(p, &data::PreprocessTimes::normalize); }},
          {{"preprocess_tokenize", "  Tokenise", Unit::kSeconds, "of preprocessing: reading and tokenising text"},
           [](const P& p) { return step_of_preprocessing(p, &data::PreprocessTimes::tokenize); }},
      });
  return section;
}

/// How far buckets are from what the device can do; absent where its limits were not measured.
std::vector<Field<Bucket>> limit_fields() {
  return {
      {{"limit", "At the limit", Unit::kSeconds,
        "if every call ran at the device's measured bandwidth or matrix rate, whichever it needs longer for", true},
       [](const Bucket& b) { return measured(b.limit_s); }},
      {{"distance", "Times the limit", Unit::kRatio,
        "time over the time at the limit; below 1 where operands stay in a cache"},
       [](const Bucket& b) { return measured(rate(b.time_s, b.limit_s)); }},
  };
}

std::vector<Field<Bucket>> joined(std::vector<Field<Bucket>> fields, const std::vector<Field<Bucket>>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

const Section<Bucket>& group_section() {
  static const Section<Bucket> section(
      {.id = "groups",
       .title = "Operator groups",
       .doc = "Where the time of one inference goes.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(
          {
              {{"group", "Group", Unit::kText, "operator group"},
               [](const Bucket& b) { return text(info(b.group).title); }},
              {{"id", "Id", Unit::kText, "the group's id in options and files", true},
               [](const Bucket& b) { return text(info(b.group).id); }},
              {{"nodes", "Nodes", Unit::kCount, "nodes of the graph"}, [](const Bucket& b) { return count(b.nodes); }},
              {{"time", "Time", Unit::kSeconds, "kernels on a device, calls on a host"},
               [](const Bucket& b) { return measured(b.time_s); }},
              {{"share", "Share", Unit::kShare, "of the node pass's wall time"},
               [](const Bucket& b) { return measured(b.share); }},
              {{"gap", "Device waits", Unit::kSeconds, "idle device time charged to these nodes", true},
               [](const Bucket& b) { return measured(b.gap_s); }},
              {{"host_time", "Host time", Unit::kSeconds, "inside the calls", true},
               [](const Bucket& b) { return measured(b.host_s); }},
              {{"kernels", "Kernels", Unit::kCount, "launched per inference", true},
               [](const Bucket& b) { return measured(b.kernels); }},
              {{"flops", "Work", Unit::kFlops, "floating point operations"},
               [](const Bucket& b) { return measured(b.cost.flops); }},
              {{"bytes", "Bytes", Unit::kBytes, "least traffic: operands read once, results written once"},
               [](const Bucket& b) { return measured(b.cost.bytes()); }},
          },
          limit_fields()));
  return section;
}

std::vector<Field<Bucket>> operator_fields() {
  return {
      {{"operator", "Operator", Unit::kText, "schema name and overload"}, [](const Bucket& b) { return text(b.name); }},
      {{"group", "Group", Unit::kText, "operator group"}, [](const Bucket& b) { return text(info(b.group).title); }},
      {{"variant", "Variant", Unit::kText, "common name, or the composite module it is part of"},
       [](const Bucket& b) { return text(b.variant); }},
      {{"nodes", "Nodes", Unit::kCount, "nodes of the graph"}, [](const Bucket& b) { return count(b.nodes); }},
      {{"time", "Time", Unit::kSeconds, "kernels on a device, calls on a host"},
       [](const Bucket& b) { return measured(b.time_s); }},
      {{"share", "Share", Unit::kShare, "of the node pass's wall time"},
       [](const Bucket& b) { return measured(b.share); }},
      {{"gap", "Device waits", Unit::kSeconds, "idle device time charged to these nodes", true},
       [](const Bucket& b) { return measured(b.gap_s); }},
      {{"host_time", "Host time", Unit::kSeconds, "inside the calls", true},
       [](const Bucket& b) { return measured(b.host_s); }},
      {{"byte_rate", "Bandwidth", Unit::kByteRate, "least traffic over time"},
       [](const Bucket& b) { return measured(rate(b.cost.bytes(), b.time_s)); }},
      {{"flop_rate", "Rate", Unit::kFlopRate, "work over time", true},
       [](const Bucket& b) { return measured(rate(b.cost.flops, b.time_s)); }},
      {{"example", "Costliest shapes", Unit::kText, "operands of the costliest call", true},
       [](const Bucket& b) { return text(b.example); }},
  };
}

const Section<Bucket>& operator_section() {
  static const Section<Bucket> section({.id = "operators",
                                        .title = "Top operators",
                                        .doc = "Operators by time, within their group.",
                                        .report = ReportKind::kPerformance,
                                        .most_rows = 12,
                                        .columns = {}},
                                       joined(operator_fields(), limit_fields()));
  return section;
}

/// A CUDA graph's replay beside the eager run.
struct Replay {
  const RunFigures& run;
  Summary latency;
  double eager_s;
};

const Section<Replay>& replay_section() {
  using R = Replay;
  static const Section<R> section(
      {.id = "replay",
       .title = "Replay (CUDA graph)",
       .doc = "The same kernels replayed as one launch.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      {
          {{"latency", "Latency (median)", Unit::kSeconds, "wall time of one replay, nothing recorded"},
           [](const R& r) { return measured(r.latency.median); }},
          {{"latency_p10", "Latency p10", Unit::kSeconds, "10th percentile"},
           [](const R& r) { return measured(r.latency.p10); }},
          {{"latency_p90", "Latency p90", Unit::kSeconds, "90th percentile"},
           [](const R& r) { return measured(r.latency.p90); }},
          {{"iterations", "Iterations (n)", Unit::kCount, "samples"},
           [](const R& r) { return count(r.latency.count); }},
          {{"speedup", "Eager / replay", Unit::kRatio, "what launching costs"},
           [](const R& r) { return measured(rate(r.eager_s, r.latency.median)); }},
          {{"device_busy", "Device busy", Unit::kSeconds, "union of all device activity"},
           [](const R& r) { return measured_if(r.run.replay->nodes.averaged > 0, r.run.replay->nodes.device_busy_s); }},
          {{"busy_ratio", "Latency / busy", Unit::kRatio, "1 when the device never waits"},
           [](const R& r) {
             const NodePass& pass = r.run.replay->nodes;
             return measured_if(pass.averaged > 0, rate(r.latency.median, pass.device_busy_s));
           }},
          {{"gemm_share", "GEMM", Unit::kShare, "share of the replay in GEMM (and fused attention)"},
           [](const R& r) {
             const Analysis& a = *r.run.replay_analysis;
             return measured_if(a.measured, rate(a.gemm_s, a.wall_s));
           }},
          {{"nongemm_share", "Non-GEMM", Unit::kShare, "share of the replay in all other operators"},
           [](const R& r) {
             const Analysis& a = *r.run.replay_analysis;
             return measured_if(a.measured, rate(a.nongemm_s, a.wall_s));
           }},
          {{"how", "Records", Unit::kText, "how kernels were told apart", true},
           [](const R& r) { return text(r.run.replay->nodes.how); }},
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
          {{"tf32_rate", "tf32 products", Unit::kFlopRate, "the same with TF32"},
           [](const L& l) { return present(l.tf32_rate); }},
          {{"fp16_rate", "fp16 products", Unit::kFlopRate, "the same in fp16"},
           [](const L& l) { return present(l.fp16_rate); }},
          {{"bf16_rate", "bf16 products", Unit::kFlopRate, "the same in bf16"},
           [](const L& l) { return present(l.bf16_rate); }},
          {{"int8_rate", "int8 products", Unit::kFlopRate, "the same in int8, in operations"},
           [](const L& l) { return present(l.int8_rate); }},
          {{"launch", "Kernel launch", Unit::kSeconds, "host time of one launch in a row of many"},
           [](const L& l) { return seconds(l.launch_ns); }},
          {{"round_trip", "Launch and wait", Unit::kSeconds,
            "from the launch on an idle device to the end of the wait"},
           [](const L& l) { return seconds(l.round_trip_ns); }},
      });
  return section;
}

const Section<Bucket>& workload_section() {
  static const Section<Bucket> section(
      {.id = "workload",
       .title = "Workload",
       .doc = "Distinct calls with shapes, in order of first use.",
       .report = ReportKind::kWorkload,
       .most_rows = 40,
       .columns = {}},
      {
          {{"operator", "Operator", Unit::kText, "schema name and overload"},
           [](const Bucket& b) { return text(b.name); }},
          {{"group", "Group", Unit::kText, "operator group"},
           [](const Bucket& b) { return text(info(b.group).title); }},
          {{"shapes", "Shapes", Unit::kText, "of the tensor operands"},
           [](const Bucket& b) { return text(b.example); }},
          {{"dtype", "Dtype", Unit::kText, "of the first result"}, [](const Bucket& b) { return text(b.dtype); }},
          {{"nodes", "Nodes", Unit::kCount, "calls of this kind per inference"},
           [](const Bucket& b) { return count(b.nodes); }},
          {{"parameters", "Parameters", Unit::kCount, "of all these nodes, tied weights at their first use"},
           [](const Bucket& b) { return count(b.parameters); }},
          {{"flops", "Work", Unit::kFlops, "of all these nodes"},
           [](const Bucket& b) { return measured(b.cost.flops); }},
          {{"bytes", "Bytes", Unit::kBytes, "least traffic of all these nodes"},
           [](const Bucket& b) { return measured(b.cost.bytes()); }},
          {{"intensity", "Intensity", Unit::kIntensity, "work over bytes"},
           [](const Bucket& b) { return measured(rate(b.cost.flops, b.cost.bytes())); }},
      });
  return section;
}

const Section<Bucket>& variant_section() {
  static const Section<Bucket> section(
      {.id = "variants",
       .title = "Non-GEMM variants",
       .doc = "Variants of each non-GEMM group with the traits of the paper's Table II.",
       .report = ReportKind::kNongemm,
       .columns = {}},
      {
          {{"group", "Group", Unit::kText, "operator group"},
           [](const Bucket& b) { return text(info(b.group).title); }},
          {{"variant", "Variant", Unit::kText, "operator or composite module"},
           [](const Bucket& b) { return text(b.variant); }},
          {{"nodes", "Nodes", Unit::kCount, "nodes of the graph"}, [](const Bucket& b) { return count(b.nodes); }},
          {{"time", "Time", Unit::kSeconds, "of one inference"}, [](const Bucket& b) { return measured(b.time_s); }},
          {{"share", "Share", Unit::kShare, "of the node pass's wall time"},
           [](const Bucket& b) { return measured(b.share); }},
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
           [](const Bucket& b) { return text(b.example); }},
      });
  return section;
}

const Section<NodeRow>& node_section() {
  static const Section<NodeRow> section(
      {.id = "nodes",
       .title = "Operator trace",
       .doc = "Every node in program order.",
       .report = ReportKind::kNongemm,
       .most_rows = 1,
       .columns = {}},
      {
          {{"node", "Node", Unit::kCount, "position in the graph"},
           [](const NodeRow& n) { return count(static_cast<std::int64_t>(n.id)); }},
          {{"operator", "Operator", Unit::kText, "schema name and overload"},
           [](const NodeRow& n) { return text(n.op); }},
          {{"scope", "Scope", Unit::kText, "module path"}, [](const NodeRow& n) { return text(n.scope); }},
          {{"module", "Module", Unit::kText, "class of the innermost module"},
           [](const NodeRow& n) { return text(n.module); }},
          {{"group", "Group", Unit::kText, "operator group"},
           [](const NodeRow& n) { return text(info(n.group).title); }},
          {{"variant", "Variant", Unit::kText, "operator or composite module"},
           [](const NodeRow& n) { return text(n.variant); }},
          {{"shapes", "Shapes", Unit::kText, "of the tensor operands"},
           [](const NodeRow& n) { return text(n.shapes); }},
          {{"results", "Results", Unit::kText, "shapes of the results"},
           [](const NodeRow& n) { return text(n.results); }},
          {{"dtype", "Dtype", Unit::kText, "of the first result"}, [](const NodeRow& n) { return text(n.dtype); }},
          {{"time", "Time", Unit::kSeconds, "kernels on a device, the call on a host"},
           [](const NodeRow& n) { return measured(n.time_s); }},
          {{"host_time", "Host time", Unit::kSeconds, "inside the call"},
           [](const NodeRow& n) { return measured(n.host_s); }},
          {{"gap", "Device waits", Unit::kSeconds, "idle device time charged to this node"},
           [](const NodeRow& n) { return measured(n.gap_s); }},
          {{"calls", "Calls", Unit::kCount, "per inference; loops call a node more than once"},
           [](const NodeRow& n) { return measured(n.calls); }},
          {{"flops", "Work", Unit::kFlops, "of one call"}, [](const NodeRow& n) { return measured(n.cost.flops); }},
          {{"bytes", "Bytes", Unit::kBytes, "least traffic of one call"},
           [](const NodeRow& n) { return measured(n.cost.bytes()); }},
      });
  return section;
}

std::vector<Bucket> without_gemm(const std::vector<Bucket>& buckets) {
  std::vector<Bucket> rest;
  for (const Bucket& bucket : buckets) {
    if (!counts_as_gemm(bucket.group)) rest.push_back(bucket);
  }
  return rest;
}

/// Static reports have no times: those columns are absent, not 0.
void forget_times(Table& table) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    const bool timed = column.unit == Unit::kSeconds || column.unit == Unit::kShare || column.unit == Unit::kByteRate ||
                       column.unit == Unit::kFlopRate || column.id == "kernels";
    if (!timed) continue;
    for (auto& row : table.rows) row[c] = std::monostate{};
  }
}

}  // namespace

const std::vector<const SectionInfo*>& all_sections() {
  static const std::vector<const SectionInfo*> kAll = [] {
    std::vector<const SectionInfo*> sections = {
        &performance_section().info(), &group_section().info(),    &operator_section().info(),
        &replay_section().info(),      &workload_section().info(), &variant_section().info(),
        &what_if_section().info(),     &limits_section().info(),   &node_section().info(),
    };
    const auto& fusion = fusion_section_infos();
    sections.insert(sections.end(), fusion.begin(), fusion.end());
    const auto& engine = engine_section_infos();
    sections.insert(sections.end(), engine.begin(), engine.end());
    return sections;
  }();
  return kAll;
}

std::vector<Table> make_tables(const RunFigures& figures) {
  const Analysis& analysis = *figures.analysis;
  std::vector<Table> tables;
  if (figures.measurement != nullptr) {
    const Performance row{figures, summarise(figures.measurement->latency_s),
                          summarise(figures.measurement->nodes.wall_s)};
    tables.push_back(performance_section().fill(std::span(&row, 1)));
  }
  tables.push_back(group_section().fill(analysis.groups));
  tables.push_back(operator_section().fill(analysis.operators));
  if (figures.fusion != nullptr) {
    for (Table& table : make_fusion_tables(*figures.fusion)) tables.push_back(std::move(table));
  }
  if (figures.measurement != nullptr) {
    for (Table& table : make_engine_tables(*figures.measurement)) tables.push_back(std::move(table));
  }
  if (figures.replay != nullptr) {
    const Replay row{figures, summarise(figures.replay->latency_s), median(figures.measurement->latency_s)};
    tables.push_back(replay_section().fill(std::span(&row, 1)));
  }
  tables.push_back(workload_section().fill(analysis.workload));
  tables.push_back(variant_section().fill(without_gemm(analysis.variants)));
  if (figures.limits != nullptr) tables.push_back(limits_section().fill(std::span(figures.limits, 1)));
  if (figures.roofline != nullptr) tables.push_back(what_if_section().fill(figures.roofline->what_if));
  tables.push_back(node_section().fill(analysis.nodes));
  if (!analysis.measured) {
    for (Table& table : tables) {
      if (table.info->id != "performance") forget_times(table);
    }
  }
  return tables;
}

}  // namespace nongemm
