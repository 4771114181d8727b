// Tables of single studies.
#include "report/study_fields.h"

namespace nongemm {
namespace {

const Section<StudyVariantRow>& variant_section() {
  using R = StudyVariantRow;
  static const Section<R> section(
      {.id = "study_variants",
       .title = "Non-GEMM operators (Table II)",
       .doc =
           "Operators and composite modules over all models, with the traits of Table II. The paper's text gives the "
           "number of marks, not their columns.",
       .report = ReportKind::kNongemm,
       .columns = {}},
      {
          {{"group", "Group", Unit::kText, "operator group"}, [](const R& r) { return text(r.group); }},
          {{"variant", "Variant", Unit::kText, "operator or composite module"},
           [](const R& r) { return text(r.variant); }},
          {{"models", "Models", Unit::kCount, "that have it"},
           [](const R& r) -> FieldValue { return r.models > 0 ? count(r.models) : FieldValue{}; }},
          {{"nodes", "Nodes", Unit::kCount, "in all of these"},
           [](const R& r) -> FieldValue { return r.models > 0 ? count(r.nodes) : FieldValue{}; }},
          {{"example_model", "Example", Unit::kText, "the model with most of them"},
           [](const R& r) { return text_if_any(r.example_model); }},
          {{"example", "Shapes", Unit::kText, "operands of a call there", false, 1},
           [](const R& r) { return text_if_any(r.example); }},
          {{"traits", "Traits", Unit::kText, "of Table II"}, [](const R& r) { return text_if_any(r.traits); }},
          {{"marks", "Marks", Unit::kCount, "traits that it has"},
           [](const R& r) -> FieldValue { return r.models > 0 ? count(r.marks) : FieldValue{}; }},
          {{"paper_marks", "Paper's marks", Unit::kCount, "in Table II"},
           [](const R& r) -> FieldValue { return r.paper_marks < 0 ? FieldValue{} : count(r.paper_marks); }},
          {{"paper_models", "Paper's models", Unit::kText, "that Table II names", false, 3},
           [](const R& r) { return text_if_any(r.paper_models); }},
          {{"paper_example", "Paper's shapes", Unit::kText, "of its example", false, 2},
           [](const R& r) { return text_if_any(r.paper_example); }},
      });
  return section;
}

const Section<StudyFusionRow>& fusion_section() {
  using R = StudyFusionRow;
  static const Section<R> section(
      {.id = "study_fusion",
       .title = "Fusion (Figure 7, Table V)",
       .doc = "Non-GEMM time node by node and after a runtime's fusion. Views are no nodes here.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          model_field<R>(),
          flow_field<R>(),
          {{"rate", "Fusion rate", Unit::kShare, "non-GEMM nodes that ran in one step with another"},
           [](const R& r) { return measured(r.rate); }},
          {{"paper_rate", "Paper's rate", Unit::kShare, "TensorRT, Table V"},
           [](const R& r) { return measured(r.paper_rate); }},
          {{"before", "Non-GEMM before", Unit::kSeconds, "of the same graph, node by node"},
           [](const R& r) { return measured(r.before_s); }},
          {{"after", "Non-GEMM after", Unit::kSeconds, "of the runtime's steps that are no GEMM"},
           [](const R& r) { return measured(r.after_s); }},
          {{"speedup", "Speed-up", Unit::kRatio, "before over after"}, [](const R& r) { return measured(r.speedup); }},
          {{"paper_speedup", "Paper's", Unit::kRatio, "of Table V's times"},
           [](const R& r) { return measured(r.paper_speedup); }},
          {{"share_before", "Share before", Unit::kShare, "non-GEMM, of the time in operators"},
           [](const R& r) { return measured(r.share_before); }},
          {{"share_after", "Share after", Unit::kShare, "non-GEMM, of the time in operators"},
           [](const R& r) { return measured(r.share_after); }},
          {{"into_gemm", "Fused into GEMM", Unit::kShare, "of the fused nodes those in a step with a product"},
           [](const R& r) { return measured(r.into_gemm); }},
          {{"normalization_fused", "Normalization fused", Unit::kShare, "of the normalization nodes"},
           [](const R& r) { return measured(r.normalization_fused); }},
          reason_field<R>("what differs, or why there are no figures"),
      });
  return section;
}

const Section<StudyQuantizationRow>& quantization_section() {
  using R = StudyQuantizationRow;
  static const Section<R> section(
      {.id = "study_quantization",
       .title = "Quantization (Figure 8)",
       .doc = "The same model as it is and quantized.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(joined(joined(joined<R>(
                               {
                                   model_field<R>(),
                                   {{"scheme", "Scheme", Unit::kText, "of the linear layers"},
                                    [](const R& r) { return text(r.scheme); }},
                                   tokens_field<R>(),
                                   {{"before", "Latency, as it is", Unit::kSeconds, "median"},
                                    [](const R& r) { return measured(r.before_s); }},
                                   {{"after", "Latency, quantized", Unit::kSeconds, "median"},
                                    [](const R& r) { return measured(r.after_s); }},
                               },
                               three_fields<R, &R::nongemm_before>(
                                   "before_device", "before_charged", "before_published", "As it is, device time",
                                   "As it is, waits charged", "As it is, published way")),
                           three_fields<R, &R::nongemm>("after_device", "after_charged", "after_published",
                                                        "Quantized, device time", "Quantized, waits charged",
                                                        "Quantized, published way")),
                    three_fields<R, &R::arithmetic>("arithmetic_device", "arithmetic_charged", "arithmetic_published",
                                                    "Arithmetic and scales, device time",
                                                    "Arithmetic and scales, waits charged",
                                                    "Arithmetic and scales, published way")),
             {
                 {{"gemm_ratio", "GEMM time", Unit::kRatio, "quantized over as it is"},
                  [](const R& r) { return measured(r.gemm_ratio); }},
                 {{"nongemm_ratio", "Non-GEMM time", Unit::kRatio, "quantized over as it is"},
                  [](const R& r) { return measured(r.nongemm_ratio); }},
                 {{"nodes_added", "Operators added", Unit::kCount, "non-GEMM nodes of the graph"},
                  [](const R& r) { return measured(r.nodes_added); }},
                 reason_field<R>("why there are no figures"),
             }));
  return section;
}

const Section<StudyLaunchRow>& launch_section() {
  using R = StudyLaunchRow;
  static const Section<R> section(
      {.id = "study_launch",
       .title = "Launching",
       .doc = "How much of the non-GEMM latency is waiting for launches, flow by flow.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          model_field<R>(),
          flow_field<R>(),
          {{"latency", "Latency (median)", Unit::kSeconds, "wall time of one inference"},
           [](const R& r) { return measured(r.latency_s); }},
          {{"busy", "In operators", Unit::kSeconds, "kernels on a device, calls on a host"},
           [](const R& r) { return measured(r.busy_s); }},
          {{"nongemm", "Non-GEMM latency", Unit::kSeconds, "the device's waits charged to the operators waited for"},
           [](const R& r) { return measured(r.nongemm_s); }},
          {{"work", "Of it work", Unit::kSeconds, "kernels of these operators"},
           [](const R& r) { return measured(r.work_s); }},
          {{"launching", "Of it launching", Unit::kShare, "waits in the non-GEMM latency"},
           [](const R& r) { return measured(r.launching); }},
          {{"kernels", "Kernels", Unit::kCount, "launched per inference, GEMM included"},
           [](const R& r) { return measured(r.kernels); }},
          {{"replay", "Replay", Unit::kSeconds, "the same as one CUDA graph"},
           [](const R& r) { return measured(r.replay_s); }},
          {{"replay_share", "Non-GEMM in replay", Unit::kShare, "of the replay"},
           [](const R& r) { return measured(r.replay_share); }},
          reason_field<R>("why there are no figures"),
      });
  return section;
}

const Section<StudyHeadroomRow>& headroom_section() {
  using R = StudyHeadroomRow;
  static const Section<R> section(
      {.id = "study_headroom",
       .title = "Headroom",
       .doc = "Non-GEMM groups held against the device's measured limits, and what the inference would win.",
       .report = ReportKind::kNongemm,
       .columns = {}},
      {
          model_field<R>(),
          device_field<R>(),
          {{"group", "Group", Unit::kText, "operator group, or all of them"}, [](const R& r) { return text(r.group); }},
          {{"time", "Time", Unit::kSeconds, "of one inference"}, [](const R& r) { return measured(r.time_s); }},
          {{"limit", "At the limit", Unit::kSeconds, "if every call ran at the measured limit"},
           [](const R& r) { return measured(r.limit_s); }},
          {{"times_limit", "Times the limit", Unit::kRatio, "time over the time at the limit"},
           [](const R& r) { return measured(r.times_limit); }},
          {{"perfect", "Perfect kernels", Unit::kRatio, "speed-up of the inference with the group at its limit"},
           [](const R& r) { return measured(r.perfect); }},
          {{"fused", "Perfect fusion", Unit::kRatio, "with the group fused away, its waits included"},
           [](const R& r) { return measured(r.fused); }},
          {{"launched", "Free launches", Unit::kRatio, "with launches free, or on a host the executor"},
           [](const R& r) { return measured(r.launched); }},
      });
  return section;
}

const Section<StudyDecodeRow>& decode_section() {
  using R = StudyDecodeRow;
  static const Section<R> section(
      {.id = "study_decode",
       .title = "Decode",
       .doc = "One further token, held against reading weights and cache once at the measured rate.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          model_field<R>(),
          device_field<R>(),
          {{"dtype", "Dtype", Unit::kText, "of the weights"}, [](const R& r) { return text_if_any(r.dtype); }},
          {{"batch", "Batch", Unit::kCount, "samples"},
           [](const R& r) -> FieldValue { return r.batch > 0 ? count(r.batch) : FieldValue{}; }},
          {{"context", "Context", Unit::kCount, "tokens of the prompt"},
           [](const R& r) -> FieldValue { return r.context > 0 ? count(r.context) : FieldValue{}; }},
          {{"token", "Per token", Unit::kSeconds, "wall time, median"}, [](const R& r) { return measured(r.token_s); }},
          {{"limit", "At the limit", Unit::kSeconds, "weights and cache at the measured rate of reading"},
           [](const R& r) { return measured(r.limit_s); }},
          {{"of_limit", "Of the limit", Unit::kShare, "time at the limit over time"},
           [](const R& r) { return measured(r.of_limit); }},
          {{"replayed", "Per token, replayed", Unit::kSeconds, "as a CUDA graph"},
           [](const R& r) { return measured(r.replayed_s); }},
          {{"replayed_of_limit", "Of the limit, replayed", Unit::kShare, "time at the limit over time"},
           [](const R& r) { return measured(r.replayed_of_limit); }},
          {{"nongemm", "Non-GEMM", Unit::kShare, "of the step's wall time, without waits"},
           [](const R& r) { return measured(r.nongemm_share); }},
          reason_field<R>("why there are no figures"),
      });
  return section;
}

}  // namespace

std::vector<const SectionInfo*> study_detail_section_infos() {
  return {&variant_section().info(), &fusion_section().info(),   &quantization_section().info(),
          &launch_section().info(),  &headroom_section().info(), &decode_section().info()};
}

Table make_study_variant_table(const std::vector<StudyVariantRow>& rows) { return variant_section().fill(rows); }
Table make_study_fusion_table(const std::vector<StudyFusionRow>& rows) { return fusion_section().fill(rows); }
Table make_study_quantization_table(const std::vector<StudyQuantizationRow>& rows) {
  return quantization_section().fill(rows);
}
Table make_study_launch_table(const std::vector<StudyLaunchRow>& rows) { return launch_section().fill(rows); }
Table make_study_headroom_table(const std::vector<StudyHeadroomRow>& rows) { return headroom_section().fill(rows); }
Table make_study_decode_table(const std::vector<StudyDecodeRow>& rows) { return decode_section().fill(rows); }

}  // namespace nongemm
