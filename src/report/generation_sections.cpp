#include "report/generation_sections.h"

#include <algorithm>
#include <numeric>

#include "analysis/doubts.h"
#include "report/section_fields.h"
#include "report/token_sections.h"

namespace nongemm {
namespace {

using Runs = std::vector<std::vector<double>>;

/// The times of all tokens after the first.
std::vector<double> after_first(const Runs& runs) {
  std::vector<double> times;
  for (const std::vector<double>& run : runs) {
    if (run.size() > 1) times.insert(times.end(), run.begin() + 1, run.end());
  }
  return times;
}

double median_total(const Runs& runs, std::size_t from) {
  std::vector<double> totals;
  for (const std::vector<double>& run : runs) {
    if (run.size() > from)
      totals.push_back(std::accumulate(run.begin() + static_cast<std::ptrdiff_t>(from), run.end(), 0.0));
  }
  return totals.empty() ? kNaN : median(totals);
}

/// Tokens of all samples per second, but for the first.
FieldValue token_rate(const GenerationRecord& g, const Runs& runs) {
  if (g.tokens < 2) return {};
  return measured(rate(static_cast<double>(g.batch * (g.tokens - 1)), median_total(runs, 1)));
}

/// The prompts' own tokens, of all samples, per second.
FieldValue prompt_rate(const GenerationRecord& g) {
  const std::vector<double> first = at_position(g.tokens_s, 0);
  if (first.empty()) return {};
  return measured(rate(static_cast<double>(g.batch * g.prompt - g.padding), median(first)));
}

/// At the least: what it has to read, at the measured rate of reading.
double limit_of(const GenerationFigures& f) {
  const auto& limits = f.record.devices.front().limits;
  if (!limits || !limits->read_bandwidth || f.generation.measured_step == 0) return kNaN;
  return rate(f.generation.weight_bytes + f.generation.cache_bytes, *limits->read_bandwidth);
}

FieldValue phase_latency(const GenerationFigures& f, PhaseKind kind) {
  const Phase* phase = f.record.find(kind);
  return phase == nullptr ? FieldValue{} : quantile_of(phase->latency.samples_s, 0.5);
}

FieldValue over_limit(const GenerationFigures& f, PhaseKind kind) {
  const Phase* phase = f.record.find(kind);
  if (phase == nullptr || phase->latency.samples_s.empty()) return {};
  return measured(rate(median(phase->latency.samples_s), limit_of(f)));
}

FieldValue peak_memory(const GenerationFigures& f) {
  std::optional<std::uint64_t> peak;
  for (const Phase& phase : f.record.phases) {
    const auto& memory = phase.devices.front().memory;
    if (memory) peak = std::max(peak.value_or(0), memory->peak);
  }
  return peak ? count(static_cast<std::int64_t>(*peak)) : FieldValue{};
}

std::vector<Field<GenerationFigures>> time_fields() {
  using F = GenerationFigures;
  return {
      {{"first_token", "First token", Unit::kSeconds,
        "wall time of the prompt's pass, the first token included; median"},
       [](const F& f) { return quantile_of(at_position(f.generation.tokens_s, 0), 0.5); }},
      {{"first_token_p90", "First token p90", Unit::kSeconds, "90th percentile over generations", true},
       [](const F& f) { return quantile_of(at_position(f.generation.tokens_s, 0), 0.9); }},
      {{"prompt_rate", "Prompt tokens", Unit::kPerSecond, "of all samples, padding not counted; median", true},
       [](const F& f) { return prompt_rate(f.generation); }},
      {{"token", "Per token", Unit::kSeconds, "wall time of one further token, at all positions; median"},
       [](const F& f) { return quantile_of(after_first(f.generation.tokens_s), 0.5); }},
      {{"token_p90", "Per token p90", Unit::kSeconds, "90th percentile"},
       [](const F& f) { return quantile_of(after_first(f.generation.tokens_s), 0.9); }},
      {{"token_rate", "Tokens", Unit::kPerSecond, "of all samples, after the first; median over generations"},
       [](const F& f) { return token_rate(f.generation, f.generation.tokens_s); }},
      {{"total", "Whole generation", Unit::kSeconds, "wall time of all tokens; median"},
       [](const F& f) { return measured(median_total(f.generation.tokens_s, 0)); }},
      {{"generations", "Generations", Unit::kCount, "that these are over"},
       [](const F& f) { return count(static_cast<std::int64_t>(f.generation.tokens_s.size())); }},
      {{"replayed_token", "Per token, replayed", Unit::kSeconds, "the same with the step as a CUDA graph; median"},
       [](const F& f) { return quantile_of(after_first(f.generation.replayed_s), 0.5); }},
      {{"replayed_token_p90", "Per token, replayed p90", Unit::kSeconds, "90th percentile", true},
       [](const F& f) { return quantile_of(after_first(f.generation.replayed_s), 0.9); }},
      {{"replayed_token_rate", "Tokens, replayed", Unit::kPerSecond, "of all samples, after the first", true},
       [](const F& f) { return token_rate(f.generation, f.generation.replayed_s); }},
  };
}

const Section<GenerationFigures>& generation_section() {
  using F = GenerationFigures;
  static const Section<F> section(
      {.id = "generation",
       .title = "Text generation",
       .doc = "Wall times of tokens, nothing recorded; the limit is that of reading weights and cache once.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      joined<F>(
          {
              {{"prompt", "Prompt", Unit::kCount, "tokens per sample, padding included"},
               [](const F& f) { return count(f.generation.prompt); }},
              {{"padding", "Padding", Unit::kCount,
                "of all samples' prompt tokens, those that only fill up shorter ones"},
               [](const F& f) { return count(f.generation.padding); }},
              {{"tokens", "New tokens", Unit::kCount, "per sample"},
               [](const F& f) { return count(f.generation.tokens); }},
              {{"batch", "Batch", Unit::kCount, "samples"}, [](const F& f) { return count(f.generation.batch); }},
              {{"cache", "Cache", Unit::kText, "dynamic: grows by concatenation; static: written in place"},
               [](const F& f) { return text(f.generation.cache); }},
          },
          joined<F>(
              time_fields(),
              {
                  {{"step", "Measured step", Unit::kCount, "the token whose passes the decode phase is", true},
                   [](const F& f) {
                     return f.generation.measured_step > 0 ? count(f.generation.measured_step + 1) : FieldValue{};
                   }},
                  {{"decode", "That step", Unit::kSeconds, "its wall time, median", true},
                   [](const F& f) { return phase_latency(f, PhaseKind::kDecode); }},
                  {{"weight_bytes", "Weights read", Unit::kBytes, "what a step multiplies with, each weight once"},
                   [](const F& f) { return measured_if(f.generation.measured_step > 0, f.generation.weight_bytes); }},
                  {{"cache_bytes", "Cache read", Unit::kBytes, "keys and values of the tokens before that step"},
                   [](const F& f) { return measured_if(f.generation.measured_step > 0, f.generation.cache_bytes); }},
                  {{"limit", "Step at the limit", Unit::kSeconds, "weights and cache at the measured rate of reading"},
                   [](const F& f) { return measured(limit_of(f)); }},
                  {{"distance", "Times the limit", Unit::kRatio, "the step over its limit"},
                   [](const F& f) { return over_limit(f, PhaseKind::kDecode); }},
                  {{"replayed_distance", "Times the limit, replayed", Unit::kRatio, "the replayed step over its limit"},
                   [](const F& f) { return over_limit(f, PhaseKind::kDecodeReplay); }},
                  {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once in any phase"},
                   [](const F& f) { return peak_memory(f); }},
                  {{"stopping_rule", "Generations end", Unit::kText, "when enough were measured", true},
                   [](const F& f) { return text_if_any(f.generation.stopping_rule); }},
              })));
  return section;
}

/// A phase with its analysis.
struct PhaseRow {
  const Phase* phase;
  const Analysis* analysis;
  std::string_view name() const { return name_of(phase->kind); }
  const NodePass& nodes() const { return phase->devices.front().nodes; }
};

template <typename Get>
double sum_of(const Analysis& analysis, Get&& get) {
  double sum = 0;
  for (const NodeRow& row : analysis.nodes) sum += get(row);
  return sum;
}

/// All parts of a phase's wall time.
double parts_of(const PhaseRow& row) {
  const Analysis& a = *row.analysis;
  return a.gemm_s + a.nongemm_s + a.gap_s + a.head_s + a.tail_s + a.outside_s;
}

bool is_known(const PhaseRow& row) { return row.analysis->measured; }
/// A host waits for no device.
bool has_device(const PhaseRow& row) { return is_known(row) && row.analysis->on_device; }

template <typename Row>
Field<Row> phase_field() {
  return {{"phase", "Phase", Unit::kText, "prefill: the prompt's pass; decode: one further token"},
          [](const Row& row) { return text(row.name()); }};
}

std::vector<Field<PhaseRow>> part_fields() {
  using R = PhaseRow;
  return {
      {{"gemm", "GEMM", Unit::kSeconds, "matrix products"},
       [](const R& r) { return measured_if(is_known(r), r.analysis->gemm_s); }},
      {{"nongemm", "Non-GEMM", Unit::kSeconds, "all other operators"},
       [](const R& r) { return measured_if(is_known(r), r.analysis->nongemm_s); }},
      {{"nongemm_share", "Non-GEMM share", Unit::kShare, "of the phase's wall time"},
       [](const R& r) { return is_known(r) ? share(r.analysis->nongemm_s, r.analysis->wall_s) : FieldValue{}; }},
      {{"gap", "Device waits", Unit::kSeconds, "between kernels the device had nothing to do"},
       [](const R& r) { return measured_if(has_device(r), r.analysis->gap_s); }},
      {{"head", "Head", Unit::kSeconds, "until the device begins", true},
       [](const R& r) { return measured_if(has_device(r), r.analysis->head_s); }},
      {{"tail", "Tail", Unit::kSeconds, "from the device's end to the return", true},
       [](const R& r) { return measured_if(has_device(r), r.analysis->tail_s); }},
      {{"outside", "Outside", Unit::kSeconds, "in no operator: the executor's own on a host", true},
       [](const R& r) { return measured_if(is_known(r), r.analysis->outside_s); }},
      {{"wall", "Wall time", Unit::kSeconds, "that these are parts of: of the pass that tells operators apart", true},
       [](const R& r) { return measured_if(is_known(r), r.analysis->wall_s); }},
      {{"parts", "Parts", Unit::kRatio, "the sum of all parts over that wall time", true},
       [](const R& r) { return is_known(r) ? share(parts_of(r), r.analysis->wall_s) : FieldValue{}; }},
  };
}

const Section<PhaseRow>& phase_section() {
  using R = PhaseRow;
  static const Section<R> section(
      {.id = "phases",
       .title = "Phases",
       .doc = "Prefill and decode told apart, each measured by itself; a decode step is the one in the middle.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined<R>(
          joined<R>({phase_field<R>(),
                     {{"latency", "Latency (median)", Unit::kSeconds, "wall time of one pass, nothing recorded"},
                      [](const R& r) { return quantile_of(r.phase->latency.samples_s, 0.5); }},
                     {{"latency_p90", "p90", Unit::kSeconds, "90th percentile", false, 3},
                      [](const R& r) { return quantile_of(r.phase->latency.samples_s, 0.9); }},
                     {{"samples", "n", Unit::kCount, "passes that these are over", true},
                      [](const R& r) { return count(static_cast<std::int64_t>(r.phase->latency.samples_s.size())); }}},
                    part_fields()),
          {{{"wait", "Host waits", Unit::kSeconds, "inside operators, for the device", true},
            [](const R& r) {
              return measured_if(is_known(r) && r.analysis->on_device,
                                 sum_of(*r.analysis, [](const NodeRow& n) { return n.wait_s; }));
            }},
           {{"host_time", "Host time", Unit::kSeconds,
             "inside the calls of operators: launching, where there is a device", false, 1},
            [](const R& r) {
              return measured_if(is_known(r) && r.phase->kind != PhaseKind::kDecodeReplay,
                                 sum_of(*r.analysis, [](const NodeRow& n) { return n.host_s; }));
            }},
           {{"nodes", "Operators", Unit::kCount, "called", false, 2},
            [](const R& r) { return count(static_cast<std::int64_t>(r.analysis->nodes.size())); }},
           {{"kernels", "Kernels", Unit::kCount, "launched", true},
            [](const R& r) -> FieldValue {
              if (!r.nodes().kernel_records) return {};
              return count(std::llround(sum_of(*r.analysis, [](const NodeRow& n) { return n.kernels; })));
            }},
           {{"busy", "Device busy", Unit::kSeconds, "union of its activity", true},
            [](const R& r) { return measured_if(r.nodes().kernel_records, r.nodes().device_busy_s); }},
           {{"dominant_group", "Dominant group", Unit::kText, "the non-GEMM group with the most time", false, 4},
            [](const R& r) { return r.analysis->dominant ? text(info(*r.analysis->dominant).title) : FieldValue{}; }},
           {{"doubts", "Doubts", Unit::kText, "what to know before these figures are used", true},
            [](const R& r) { return text_if_any(doubts_of(*r.analysis, r.phase->latency)); }},
           {{"how", "Records", Unit::kText, "the kind of records that tell operators apart", true},
            [](const R& r) { return text_if_any(r.nodes().how); }}}));
  return section;
}

/// A bucket of a phase.
struct PhaseBucket {
  const PhaseRow* of;
  const Bucket* bucket;
  std::string_view name() const { return of->name(); }
};

std::vector<Field<PhaseBucket>> bucket_fields() {
  using B = PhaseBucket;
  return {
      {{"nodes", "Nodes", Unit::kCount, "of the pass"}, [](const B& b) { return count(b.bucket->nodes); }},
      {{"time", "Time", Unit::kSeconds, "of one pass"}, [](const B& b) { return measured(b.bucket->time_s); }},
      {{"share", "Share", Unit::kShare, "of the phase's wall time"},
       [](const B& b) { return measured(b.bucket->share); }},
      {{"gap", "Device waits", Unit::kSeconds, "before its kernels, for the host", true},
       [](const B& b) { return measured_if(has_device(*b.of), b.bucket->gap_s); }},
      {{"wait", "Host waits", Unit::kSeconds, "in its calls, for the device", true},
       [](const B& b) { return measured_if(has_device(*b.of), b.bucket->wait_s); }},
      {{"host_time", "Host time", Unit::kSeconds, "inside its calls", true},
       [](const B& b) { return measured(b.bucket->host_s); }},
      {{"kernels", "Kernels", Unit::kCount, "launched in one pass", true},
       [](const B& b) -> FieldValue {
         return b.of->nodes().kernel_records ? count(std::llround(b.bucket->kernels)) : FieldValue{};
       }},
      {{"flops", "Work", Unit::kFlops, "floating-point operations", true},
       [](const B& b) { return measured(b.bucket->work.known().flops); }},
      {{"bytes", "Bytes", Unit::kBytes, "least traffic", true},
       [](const B& b) { return measured(b.bucket->work.known().bytes()); }},
      {{"limit", "At the limit", Unit::kSeconds, "every call at the device's measured bandwidth or matrix rate", true},
       [](const B& b) { return measured(b.bucket->limit_s); }},
      {{"distance", "Times the limit", Unit::kRatio, "time over the time at the limit"},
       [](const B& b) { return measured(rate(b.bucket->time_s, b.bucket->limit_s)); }},
  };
}

const Section<PhaseBucket>& group_section() {
  using B = PhaseBucket;
  static const Section<B> section({.id = "phase_groups",
                                   .title = "Phases by operator group",
                                   .doc = "Where prefill and decode go.",
                                   .report = ReportKind::kPerformance,
                                   .columns = {}},
                                  joined<B>({phase_field<B>(),
                                             {{"group", "Group", Unit::kText, "operator group"},
                                              [](const B& b) { return text(info(b.bucket->group).title); }}},
                                            bucket_fields()));
  return section;
}

const Section<PhaseBucket>& operator_section() {
  using B = PhaseBucket;
  static const Section<B> section({.id = "phase_operators",
                                   .title = "Phases by operator",
                                   .doc = "Each phase's operators, the largest first.",
                                   .report = ReportKind::kNongemm,
                                   .columns = {}},
                                  joined<B>({phase_field<B>(),
                                             {{"operator", "Operator", Unit::kText, "schema name and overload"},
                                              [](const B& b) { return text(b.bucket->name); }},
                                             {{"group", "Group", Unit::kText, "operator group"},
                                              [](const B& b) { return text(info(b.bucket->group).title); }},
                                             {{"variant", "Variant", Unit::kText, "operator or composite module", true},
                                              [](const B& b) { return text(b.bucket->variant); }}},
                                            bucket_fields()));
  return section;
}

}  // namespace

std::vector<const SectionInfo*> generation_section_infos() {
  return {&generation_section().info(), &phase_section().info(),    &group_section().info(),
          &text_section_info(),         &operator_section().info(), &token_section_info()};
}

std::vector<Table> make_generation_tables(const GenerationFigures& figures) {
  std::vector<PhaseRow> phases;
  for (std::size_t i = 0; i < figures.record.phases.size(); ++i) {
    phases.push_back({&figures.record.phases[i], &figures.analyses[i]});
  }
  std::vector<PhaseBucket> groups;
  std::vector<PhaseBucket> operators;
  for (const PhaseRow& row : phases) {
    if (!row.analysis->measured) continue;
    for (const Bucket& bucket : row.analysis->groups) groups.push_back({&row, &bucket});
    for (const Bucket& bucket : row.analysis->operators) operators.push_back({&row, &bucket});
  }
  std::vector<Table> tables = {generation_section().fill(std::span(&figures, 1)), phase_section().fill(phases),
                               group_section().fill(groups)};
  if (!figures.generation.texts.empty()) tables.push_back(make_text_table(figures.generation));
  tables.push_back(operator_section().fill(operators));
  tables.push_back(make_token_table(figures.generation));
  return tables;
}

}  // namespace nongemm
