// Columns that several tables of studies have.
#pragma once

#include <string_view>
#include <vector>

#include "report/section_fields.h"
#include "report/study_sections.h"

namespace nongemm {

inline constexpr std::string_view kDeviceDoc = "of the time in operators: kernels on a device, calls on a host";
inline constexpr std::string_view kChargedDoc =
    "of the wall time, the device's waits charged to the operators waited for";
inline constexpr std::string_view kPublishedDoc =
    "of host and device times of each operator added up, as the published tool counts (of TensorRT the device's alone, "
    "as "
    "its profiler has them)";

/// Three columns for one ThreeShares.
template <typename Row, ThreeShares Row::*kShares>
std::vector<Field<Row>> three_fields(std::string_view device, std::string_view charged, std::string_view published,
                                     std::string_view device_title, std::string_view charged_title,
                                     std::string_view published_title) {
  return {
      {{device, device_title, Unit::kShare, kDeviceDoc}, [](const Row& r) { return measured((r.*kShares).device); }},
      {{charged, charged_title, Unit::kShare, kChargedDoc},
       [](const Row& r) { return measured((r.*kShares).charged); }},
      {{published, published_title, Unit::kShare, kPublishedDoc},
       [](const Row& r) { return measured((r.*kShares).published); }},
  };
}

template <typename Row, ThreeShares Row::*kShares>
std::vector<Field<Row>> nongemm_fields() {
  return three_fields<Row, kShares>("nongemm_device", "nongemm_charged", "nongemm_published", "Non-GEMM, device time",
                                    "Non-GEMM, waits charged", "Non-GEMM, published way");
}

template <typename Row>
Field<Row> model_field() {
  return {{"model", "Model", Unit::kText, "that was run"}, [](const Row& r) { return text(r.model); }};
}
template <typename Row>
Field<Row> task_field() {
  return {{"task", "Task", Unit::kText, "task domain (Table I)"}, [](const Row& r) { return text_if_any(r.task); }};
}
template <typename Row>
Field<Row> flow_field() {
  return {{"flow", "Flow", Unit::kText, "deployment flow"}, [](const Row& r) { return text(r.flow); }};
}
template <typename Row>
Field<Row> device_field() {
  return {{"device", "Device", Unit::kText, "that it ran on"}, [](const Row& r) { return text(r.device); }};
}
template <typename Row>
Field<Row> where_field() {
  return {{"where", "Where", Unit::kText, "section, figure or table of the paper"},
          [](const Row& r) { return text(r.where); }};
}
template <typename Row>
Field<Row> what_field() {
  return {{"what", "What", Unit::kText, "the paper's figure"}, [](const Row& r) { return text(r.what); }};
}
template <typename Row>
Field<Row> reason_field(std::string_view doc) {
  return {{"reason", "Reason", Unit::kText, doc}, [](const Row& r) { return text(r.reason); }};
}
template <typename Row>
Field<Row> tokens_field() {
  return {{"tokens", "Tokens", Unit::kCount, "per sample, of language models"},
          [](const Row& r) -> FieldValue { return r.tokens > 0 ? count(r.tokens) : FieldValue{}; }};
}

}  // namespace nongemm
