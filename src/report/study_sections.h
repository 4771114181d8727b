// The part of the field table for studies: what was measured beside what the paper says, and what to make of it.
// Shares are 0 to 1, times in seconds; NaN is "not measured", an empty text nothing to say.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "report/document.h"

namespace nongemm {

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// A part of an inference, usually all non-GEMM operators, in the three ways of counting it.
struct ThreeShares {
  double device = kNotMeasured;   // of the time in operators: kernels on a device, calls on a host
  double charged = kNotMeasured;  // of the wall time, the device's waits charged to the operators waited for
  double published =
      kNotMeasured;  // of host and device times added up, as the published tool counts (TensorRT: the device's alone)
};

/// A sentence made from the figures.
struct StudySentence {
  std::string about;
  std::string text;
};

/// A share that the paper gives, and ours.
struct StudyShareRow {
  std::string where;  // "Section IV-A, Table IV"
  std::string what;
  ThreeShares ours;
  double paper = kNotMeasured;
  double difference = kNotMeasured;  // of the way that compares, ours minus the paper's
  std::string reason;
};

/// Any other figure that the paper gives.
struct StudyNumberRow {
  std::string where;
  std::string what;
  std::string unit;
  double ours = kNotMeasured;
  double paper = kNotMeasured;
  std::string reason;
};

/// One point that the study rests on.
struct StudyRunRow {
  std::string model;
  std::string task;
  std::string flow;
  std::string device;
  std::string dtype;
  std::string others;  // "quantize llm.int8"
  std::int64_t batch = 0;
  std::int64_t tokens = 0;  // 0: none
  double latency_s = kNotMeasured;
  double samples_per_s = kNotMeasured;
  ThreeShares nongemm;
  double memory_share = kNotMeasured;  // layout and movement, the published way where there is one
  double waits_share = kNotMeasured;
  std::string dominant;
  double peak_bytes = kNotMeasured;
  std::string status;
  std::string reason;
};

/// Means over the models of a task on a device.
struct StudyTaskRow {
  std::string task;
  std::string device;
  std::int64_t batch = 0;
  std::int64_t models = 0;
  ThreeShares nongemm;
  double least = kNotMeasured;  // of `charged`
  double most = kNotMeasured;
};

/// The non-GEMM group with the most time.
struct StudyDominantRow {
  std::string model;
  std::string task;
  std::string group_device;
  std::string group_charged;
  std::string group_published;
  ThreeShares share;  // of each of these
  std::string paper_group;
  double paper_share = kNotMeasured;
  ThreeShares share_of_paper_group;
  std::string agree;  // "yes", "as charged", "no"
  std::string reason;
};

/// A non-GEMM operator or composite module over all models.
struct StudyVariantRow {
  std::string group;
  std::string variant;
  std::int64_t models = 0;
  std::int64_t nodes = 0;
  std::string example_model;
  std::string example;  // shapes
  std::string traits;   // "single operation, non-linear"
  std::int64_t marks = 0;
  std::string paper_models;       // that Table II names
  std::int64_t paper_marks = -1;  // ticks of Table II; -1 where it has no such row
  std::string paper_example;
};

/// What a runtime's fusion did.
struct StudyFusionRow {
  std::string model;
  std::string flow;
  double rate = kNotMeasured;
  double paper_rate = kNotMeasured;
  double before_s = kNotMeasured;
  double after_s = kNotMeasured;
  double speedup = kNotMeasured;
  double paper_speedup = kNotMeasured;
  double share_before = kNotMeasured;
  double share_after = kNotMeasured;
  double normalization_fused = kNotMeasured;
  double into_gemm = kNotMeasured;  // of the fused nodes those that run with a product
  std::string reason;
};

/// A quantized model beside the same as it is.
struct StudyQuantizationRow {
  std::string model;
  std::string scheme;
  std::int64_t tokens = 0;
  double before_s = kNotMeasured;
  double after_s = kNotMeasured;
  ThreeShares nongemm_before;
  ThreeShares nongemm;
  ThreeShares arithmetic;
  double gemm_ratio = kNotMeasured;     // time after over before
  double nongemm_ratio = kNotMeasured;  // likewise
  double nodes_added = kNotMeasured;
  std::string reason;
};

/// What of the non-GEMM latency is launching.
struct StudyLaunchRow {
  std::string model;
  std::string flow;
  double latency_s = kNotMeasured;
  double busy_s = kNotMeasured;     // operators' own time
  double nongemm_s = kNotMeasured;  // their waits charged
  double work_s = kNotMeasured;     // of that, work on the device
  double launching = kNotMeasured;  // share of nongemm_s that is waiting
  double kernels = kNotMeasured;
  double replay_s = kNotMeasured;
  double replay_share = kNotMeasured;  // non-GEMM in the replay
  std::string reason;
};

/// How far a group is from what the device can do.
struct StudyHeadroomRow {
  std::string model;
  std::string device;
  std::string group;
  double time_s = kNotMeasured;
  double limit_s = kNotMeasured;
  double times_limit = kNotMeasured;
  double perfect = kNotMeasured;   // the inference's speed-up with this group at its limit
  double fused = kNotMeasured;     // with this group fused away, its waits included
  double launched = kNotMeasured;  // with launches free
};

/// A step of text generation against reading weights and cache once.
struct StudyDecodeRow {
  std::string model;
  std::string device;
  std::string dtype;
  std::int64_t batch = 0;
  std::int64_t context = 0;  // tokens before it
  double token_s = kNotMeasured;
  double limit_s = kNotMeasured;
  double of_limit = kNotMeasured;  // limit over time: 1 at the limit
  double replayed_s = kNotMeasured;
  double replayed_of_limit = kNotMeasured;
  double nongemm_share = kNotMeasured;  // of the step's wall time
  std::string reason;
};

const std::vector<const SectionInfo*>& study_section_infos();
/// The part of them in study_detail_sections.cpp.
std::vector<const SectionInfo*> study_detail_section_infos();

Table make_study_reading_table(const std::vector<StudySentence>& rows);
Table make_study_share_table(const std::vector<StudyShareRow>& rows);
Table make_study_number_table(const std::vector<StudyNumberRow>& rows);
Table make_study_run_table(const std::vector<StudyRunRow>& rows);
Table make_study_task_table(const std::vector<StudyTaskRow>& rows);
Table make_study_dominant_table(const std::vector<StudyDominantRow>& rows);
Table make_study_variant_table(const std::vector<StudyVariantRow>& rows);
Table make_study_fusion_table(const std::vector<StudyFusionRow>& rows);
Table make_study_quantization_table(const std::vector<StudyQuantizationRow>& rows);
Table make_study_launch_table(const std::vector<StudyLaunchRow>& rows);
Table make_study_headroom_table(const std::vector<StudyHeadroomRow>& rows);
Table make_study_decode_table(const std::vector<StudyDecodeRow>& rows);

/// The setting that marks the point with a study's tables: its value is the study's name.
inline constexpr const char* kStudySetting = "study";
bool is_study(const Document& document);

}  // namespace nongemm
