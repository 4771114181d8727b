#include "report/performance_sections.h"

#include <algorithm>
#include <cmath>

#include "analysis/doubts.h"
#include "base/statistics.h"
#include "report/section_fields.h"

namespace nongemm {
namespace {

/// A run's figures with the summaries that several fields share.
struct Performance {
  const RunFigures& run;
  const LatencyPass& plain;
  const DevicePhase& device;
  Summary latency;
  Summary traced;

  const Analysis& analysis() const { return *run.analysis; }
  double share(double seconds) const { return analysis().wall_s > 0 ? seconds / analysis().wall_s : kNaN; }
  /// Of steps whose operators nobody knows it is not known either how much of them is GEMM.
  bool split_known() const {
    return analysis().measured && (run.fusion == nullptr || run.fusion->mapped_time > 0 || analysis().gemm_s > 0);
  }
  FieldValue split(double figure) const { return measured_if(split_known(), figure); }
};

/// The counter moves every 20 to 100 ms: less than a second of work says little.
double energy_per_inference(const LatencyPass& plain, const DevicePhase& device) {
  const DeviceState& before = device.before;
  const DeviceState& after = device.after;
  constexpr std::int64_t kLeastNs = 1'000'000'000;
  if (!before.energy_joules || !after.energy_joules || after.time_ns - before.time_ns < kLeastNs) return kNaN;
  return (*after.energy_joules - *before.energy_joules) / static_cast<double>(plain.samples_s.size());
}

/// Absent where nothing was watched, as in files of other tools.
FieldValue doubtful(const LatencyPass& plain) {
  if (plain.marks.empty()) return {};
  const auto fine = std::count(plain.marks.begin(), plain.marks.end(), SampleMark::kNone);
  return count(static_cast<std::int64_t>(plain.marks.size()) - fine);
}

FieldValue retaken(const LatencyPass& plain) {
  return plain.marks.empty() ? FieldValue{} : count(static_cast<std::int64_t>(plain.retaken_s.size()));
}

/// Steps that the kind of data does not have stay out of the report.
FieldValue step_of_preprocessing(const Performance& p, double PreprocessTimes::*step) {
  if (!p.run.preprocessing) return {};
  return measured_if((*p.run.preprocessing).*step > 0, (*p.run.preprocessing).*step);
}

/// Absent where the queue model did not come to have one.
FieldValue reconstructed(const Performance& p, double Reconstruction::*figure) {
  const auto& found = p.device.nodes.reconstruction;
  return found && found->inferences > 0 ? measured((*found).*figure) : FieldValue{};
}

FieldValue start_error_share(const Performance& p) {
  const auto& found = p.device.nodes.reconstruction;
  return found && found->inferences > 0 ? measured(rate(found->start_error_s, p.latency.median)) : FieldValue{};
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
      joined<P>(
          latency_fields<P>("wall time of one inference, nothing recorded"),
          {
              {{"latency_low", "95 % interval, low", Unit::kSeconds,
                "exact interval of the median, by order statistics; absent below six samples", true},
               [](const P& p) { return measured(p.latency.interval.low); }},
              {{"latency_high", "95 % interval, high", Unit::kSeconds,
                "exact interval of the median, by order statistics; absent below six samples", true},
               [](const P& p) { return measured(p.latency.interval.high); }},
              {{"iterations", "Iterations (n)", Unit::kCount, "samples of the latency pass, warm-up excluded"},
               [](const P& p) -> FieldValue { return p.latency.count > 0 ? count(p.latency.count) : FieldValue{}; }},
              {{"caution", "Caution", Unit::kText, "what to know before these figures are used"},
               [](const P& p) { return text_if_any(doubts_of(p.analysis(), p.plain, p.run.cautions)); }},
              {{"stopping_rule", "Stopping rule", Unit::kText, "when the latency pass ended", true},
               [](const P& p) { return text_if_any(p.plain.stopping_rule); }},
              {{"doubtful", "Doubtful samples", Unit::kCount,
                "of the latency pass: disturbed on the host, or taken while the device was throttled", true},
               [](const P& p) { return doubtful(p.plain); }},
              {{"retaken", "Taken again", Unit::kCount,
                "doubtful samples that do not count, as the stopping rule allows", true},
               [](const P& p) { return retaken(p.plain); }},
              {{"throughput", "Samples", Unit::kPerSecond, "batch over median latency"},
               [](const P& p) {
                 return measured_if(p.run.batch > 0, rate(static_cast<double>(p.run.batch), p.latency.median));
               }},
              {{"tokens_per_second", "Tokens", Unit::kPerSecond, "tokens of the batch over median latency", true},
               [](const P& p) {
                 return measured_if(p.run.tokens > 0,
                                    rate(static_cast<double>(p.run.batch * p.run.tokens), p.latency.median));
               }},
              {{"gemm_share", "GEMM", Unit::kShare, "share of the node pass in GEMM (and fused attention)"},
               [](const P& p) { return p.split(p.share(p.analysis().gemm_s)); }},
              {{"nongemm_share", "Non-GEMM", Unit::kShare, "share of the node pass in all other operators"},
               [](const P& p) { return p.split(p.share(p.analysis().nongemm_s)); }},
              {{"gap_share", "Device waits", Unit::kShare, "share in which the device had nothing to do"},
               [](const P& p) {
                 const Analysis& a = p.analysis();
                 return measured_if(a.on_device, p.share(a.gap_s + a.head_s + a.tail_s));
               }},
              {{"outside_share", "Outside operators", Unit::kShare,
                "the executor's own time on a host; on a device what the parts do not explain"},
               [](const P& p) { return measured(p.share(p.analysis().outside_s)); }},
              {{"gemm_time", "GEMM time", Unit::kSeconds, "of one inference", true},
               [](const P& p) { return p.split(p.analysis().gemm_s); }},
              {{"nongemm_time", "Non-GEMM time", Unit::kSeconds, "of one inference", true},
               [](const P& p) { return p.split(p.analysis().nongemm_s); }},
              {{"dominant_group", "Dominant non-GEMM group", Unit::kText, "the non-GEMM group with the most time"},
               [](const P& p) -> FieldValue {
                 if (!p.analysis().dominant || !p.split_known()) return std::monostate{};
                 return std::string(info(*p.analysis().dominant).title);
               }},
              {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once, weights included"},
               [](const P& p) -> FieldValue {
                 if (!p.device.memory) return std::monostate{};
                 return static_cast<std::int64_t>(p.device.memory->peak);
               }},
              {{"weight_memory", "Weights", Unit::kBytes, "bytes of all parameters and buffers"},
               [](const P& p) -> FieldValue {
                 const double of_graph = p.analysis().weight_bytes;
                 if (!std::isnan(of_graph) || !p.device.memory) return measured(of_graph);
                 return static_cast<std::int64_t>(p.device.memory->weights);  // as the session tells
               }},
              {{"flops", "Work", Unit::kFlops, "floating point operations of one inference, as far as they are known"},
               [](const P& p) { return measured(p.analysis().total.known().flops); }},
              {{"flops_unknown", "Work unknown", Unit::kCount,
                "operators whose work is not known: `flops` and `flop_rate` are without theirs"},
               [](const P& p) -> FieldValue { return p.analysis().total.without_flops(); }},
              {{"flop_rate", "Rate", Unit::kFlopRate, "work over median latency"},
               [](const P& p) { return measured(rate(p.analysis().total.known().flops, p.latency.median)); }},
              {{"device_busy", "Device busy", Unit::kSeconds, "union of all device activity", true},
               [](const P& p) {
                 const NodePass& pass = p.device.nodes;
                 return measured_if(pass.kernel_records, pass.device_busy_s);
               }},
              {{"traced_latency", "Node pass latency", Unit::kSeconds, "median of the pass that tells nodes apart",
                true},
               [](const P& p) { return measured(p.traced.median); }},
              {{"node_wall", "Wall time of shares", Unit::kSeconds,
                "of one inference in the node pass, mean of those not slower than the 90th percentile; shares are of "
                "it",
                true},
               [](const P& p) { return measured_if(p.analysis().measured, p.analysis().wall_s); }},
              {{"overhead", "Node pass / plain", Unit::kRatio,
                "what telling nodes apart costs: median ratio of traced runs and plain ones, taken in turns"},
               [](const P& p) { return measured(paired_ratio(p.device.nodes.wall_s, p.device.nodes.plain_s)); }},
              {{"reconstructed", "Reconstructed / plain", Unit::kRatio,
                "latency that the queue model gives plain inferences over what it was, median; the parts add up to it "
                "where the model was used"},
               [](const P& p) { return reconstructed(p, &Reconstruction::latency); }},
              {{"start_error", "Kernel start error", Unit::kSeconds,
                "mean distance of begins that the queue model gives recorded inferences from the recorded ones", true},
               [](const P& p) { return reconstructed(p, &Reconstruction::start_error_s); }},
              {{"start_error_share", "Kernel start error / latency", Unit::kShare, "of the median latency", true},
               [](const P& p) { return start_error_share(p); }},
              {{"gap_error", "Gap error", Unit::kShare,
                "distance of nodes' mean gaps and of the head from those of recorded inferences, in sum, over their "
                "latency",
                true},
               [](const P& p) { return reconstructed(p, &Reconstruction::gap_error); }},
              {{"halves_apart", "Halves apart", Unit::kShare,
                "most that an operator's share of idle time differs between two halves of the inferences", true},
               [](const P& p) { return reconstructed(p, &Reconstruction::halves_apart); }},
              {{"recorded", "Parts recorded / plain", Unit::kRatio,
                "device, gaps, head and tail as recorded or reconstructed (mean) over plain runs taken in turns "
                "(median); recorded ones are then scaled to it",
                true},
               [](const P& p) {
                 const NodePass& pass = p.device.nodes;
                 return measured_if(pass.kernel_records, rate(pass.recorded_s, median(pass.plain_s)));
               }},
              {{"parts", "Parts / wall", Unit::kRatio, "sum of all nodes and waits over the node pass's wall time",
                true},
               [](const P& p) {
                 const Analysis& a = p.analysis();
                 return measured(rate(a.gemm_s + a.nongemm_s + a.gap_s + a.head_s + a.tail_s, a.wall_s));
               }},
              {{"attributed", "Kernel time in nodes", Unit::kShare, "share of kernel time that belongs to a node",
                true},
               [](const P& p) {
                 const NodePass& pass = p.device.nodes;
                 return measured_if(pass.kernel_records, pass.attributed);
               }},
              {{"how", "Node pass records", Unit::kText, "what the node pass recorded", true},
               [](const P& p) { return text(p.device.nodes.how); }},
              {{"energy", "Energy", Unit::kJoules,
                "of one inference; absent when the plain pass was too short for the counter"},
               [](const P& p) { return measured(energy_per_inference(p.plain, p.device)); }},
              {{"power", "Power", Unit::kWatts, "the device's own reading after the plain pass", true},
               [](const P& p) { return present(p.device.after.power_watts); }},
              {{"clock", "Clock", Unit::kHertz, "of the multiprocessors after the plain pass", true},
               [](const P& p) {
                 const auto& mhz = p.device.after.sm_clock_mhz;
                 return mhz ? FieldValue(*mhz * 1e6) : FieldValue{};
               }},
              {{"throttled", "Throttled", Unit::kYesNo, "power or heat slowed the device during the plain pass", true},
               [](const P& p) -> FieldValue {
                 const auto& before = p.device.before.throttled;
                 const auto& after = p.device.after.throttled;
                 return before && after ? FieldValue{*before || *after} : FieldValue{};
               }},
              {{"clock_reasons", "Clock held by", Unit::kText,
                "what kept the clock below its highest after the plain pass, as the driver says", true},
               [](const P& p) {
                 std::string reasons;
                 for (const std::string& reason : p.device.after.clock_reasons) {
                   reasons += (reasons.empty() ? "" : ", ") + reason;
                 }
                 return text_if_any(reasons);
               }},
              {{"setup", "Set-up", Unit::kSeconds, "graph, weights and inputs, before the first inference", true},
               [](const P& p) { return measured(p.run.setup_s); }},
              {{"preprocessing", "Preprocessing", Unit::kSeconds,
                "reading and preparing one batch of data; not part of the latency"},
               [](const P& p) { return p.run.preprocessing ? measured(p.run.preprocessing->total()) : FieldValue{}; }},
              {{"preprocess_decode", "  Decode", Unit::kSeconds, "of preprocessing: reading and decoding images"},
               [](const P& p) { return step_of_preprocessing(p, &PreprocessTimes::decode); }},
              {{"preprocess_resize", "  Resize", Unit::kSeconds, "of preprocessing: resizing and cropping"},
               [](const P& p) { return step_of_preprocessing(p, &PreprocessTimes::resize); }},
              {{"preprocess_normalize", "  Normalise", Unit::kSeconds,
                "of preprocessing: normalising, padding, batching"},
               [](const P& p) { return step_of_preprocessing(p, &PreprocessTimes::normalize); }},
              {{"preprocess_tokenize", "  Tokenise", Unit::kSeconds, "of preprocessing: reading and tokenising text"},
               [](const P& p) { return step_of_preprocessing(p, &PreprocessTimes::tokenize); }},
          }));
  return section;
}

const Section<HostSpeed>& speed_section() {
  using S = HostSpeed;
  static const Section<S> section(
      {.id = "host_speeds",
       .title = "Speeds of the host",
       .doc = "Virtual hosts run at one of two speeds: plain inferences of each, put together apart. Shares are of the "
              "first.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"inferences", "Inferences", Unit::kCount, "plain ones with host spans"},
           [](const S& s) { return count(s.inferences); }},
          {{"wall", "Latency", Unit::kSeconds, "reconstructed, mean"}, [](const S& s) { return measured(s.wall_s); }},
          {{"device", "Device busy", Unit::kSeconds, "union of all device activity"},
           [](const S& s) { return measured(s.device_s); }},
          {{"gap", "Gaps", Unit::kSeconds, "in which the device waits for a node"},
           [](const S& s) { return measured(s.gap_s); }},
          {{"head", "Head", Unit::kSeconds, "until the device begins"}, [](const S& s) { return measured(s.head_s); }},
          {{"tail", "Tail", Unit::kSeconds, "from the device's end to the return of the inference"},
           [](const S& s) { return measured(s.tail_s); }},
      });
  return section;
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
              group_field<Bucket>(),
              {{"id", "Id", Unit::kText, "the group's id in options and files", true},
               [](const Bucket& b) { return text(info(b.group).id); }},
              nodes_field<Bucket>(
                  "nodes of the graph; of a trace, calls: of one inference where it tells them apart, else all"),
              time_field<Bucket>("kernels on a device, calls on a host"),
              share_field(),
              gap_field<Bucket>("idle device time charged to these nodes", true),
              host_time_field<Bucket>("inside the calls", true),
              wait_field<Bucket>("inside the calls: for the device to end its work"),
              {{"kernels", "Kernels", Unit::kCount, "launched per inference", true},
               [](const Bucket& b) { return measured(b.kernels); }},
              flops_field<Bucket>("floating point operations"),
              unknown_field(),
              bytes_field<Bucket>("least traffic: operands read once, results written once"),
          },
          limit_fields()));
  return section;
}

std::vector<Field<Bucket>> operator_fields() {
  return {
      operator_field<Bucket>(),
      group_field<Bucket>(),
      variant_field<Bucket>("common name, or the composite module it is part of"),
      nodes_field<Bucket>(
          "nodes of the graph; of a trace, calls: of one inference where it tells them apart, else all"),
      time_field<Bucket>("kernels on a device, calls on a host"),
      share_field(),
      gap_field<Bucket>("idle device time charged to these nodes", true),
      host_time_field<Bucket>("inside the calls", true),
      wait_field<Bucket>("inside the calls: for the device to end its work"),
      byte_rate_field(),
      flop_rate_field(),
      {{"example", "Costliest shapes", Unit::kText, "operands of the costliest call", true},
       [](const Bucket& b) { return text(operand_shapes(b.operands)); }},
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
  const NodePass& nodes;
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
      joined<R>(latency_fields<R>("wall time of one replay, nothing recorded"),
                {
                    {{"iterations", "Iterations (n)", Unit::kCount, "samples"},
                     [](const R& r) { return count(r.latency.count); }},
                    {{"speedup", "Eager / replay", Unit::kRatio, "what launching costs"},
                     [](const R& r) { return measured(rate(r.eager_s, r.latency.median)); }},
                    {{"device_busy", "Device busy", Unit::kSeconds, "union of all device activity"},
                     [](const R& r) { return measured_if(r.nodes.averaged > 0, r.nodes.device_busy_s); }},
                    {{"busy_ratio", "Latency / busy", Unit::kRatio, "1 when the device never waits"},
                     [](const R& r) {
                       return measured_if(r.nodes.averaged > 0, rate(r.latency.median, r.nodes.device_busy_s));
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
                     [](const R& r) { return text(r.nodes.how); }},
                }));
  return section;
}

}  // namespace

std::vector<const SectionInfo*> performance_section_infos() {
  return {&performance_section().info(), &speed_section().info(), &group_section().info(), &operator_section().info(),
          &replay_section().info()};
}

std::vector<Table> make_performance_tables(const RunFigures& figures) {
  std::vector<Table> tables;
  const Phase* inference = figures.inference();
  if (inference != nullptr) {
    const DevicePhase& device = inference->devices.front();
    const Performance row{figures, inference->latency, device, summarise(inference->latency.samples_s),
                          summarise(device.nodes.wall_s)};
    tables.push_back(performance_section().fill(std::span(&row, 1)));
    const auto& built = device.nodes.reconstruction;
    if (built && built->speeds.size() > 1) tables.push_back(speed_section().fill(built->speeds));
  }
  tables.push_back(group_section().fill(figures.analysis->groups));
  tables.push_back(operator_section().fill(figures.analysis->operators));
  if (const Phase* replay = figures.replay()) {
    const Replay row{figures, replay->devices.front().nodes, summarise(replay->latency.samples_s),
                     median(inference->latency.samples_s)};
    tables.push_back(replay_section().fill(std::span(&row, 1)));
  }
  return tables;
}

}  // namespace nongemm
