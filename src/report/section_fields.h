// What the sections share: values, and the columns that several of them have, declared once.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/analysis.h"
#include "base/statistics.h"
#include "report/field.h"
#include "report/operand_shapes.h"

namespace nongemm {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline FieldValue count(std::int64_t value) { return value; }
inline FieldValue text(std::string_view value) { return std::string(value); }
/// What is not told stays absent.
inline FieldValue text_if_any(std::string_view value) { return value.empty() ? FieldValue{} : text(value); }
inline FieldValue present(const std::optional<double>& value) { return value ? FieldValue(*value) : FieldValue{}; }

inline double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : kNaN; }
inline FieldValue share(double part, double whole) { return measured(rate(part, whole)); }

inline std::string_view operator_of(const Bucket& bucket) { return bucket.name; }
template <typename Row>
std::string_view operator_of(const Row& row) {
  return row.op;
}

template <typename Row>
Field<Row> operator_field() {
  return {{"operator", "Operator", Unit::kText, "schema name and overload", false, 0, kMostOfName},
          [](const Row& row) { return text(operator_of(row)); }};
}

template <typename Row>
Field<Row> group_field() {
  return {{"group", "Group", Unit::kText, "operator group"},
          [](const Row& row) { return text(info(row.group).title); }};
}

template <typename Row>
Field<Row> variant_field(std::string_view doc) {
  return {{"variant", "Variant", Unit::kText, doc}, [](const Row& row) { return text(row.variant); }};
}

inline DType dtype_of(const Bucket& bucket) { return bucket.dtype; }
inline DType dtype_of(const NodeRow& row) { return row.dtype(); }

template <typename Row>
Field<Row> dtype_field() {
  return {{"dtype", "Dtype", Unit::kText, "of the first result"},
          [](const Row& row) { return text(dtype_text(dtype_of(row))); }};
}

template <typename Row>
Field<Row> nodes_field(std::string_view doc) {
  return {{"nodes", "Nodes", Unit::kCount, doc}, [](const Row& row) { return count(row.nodes); }};
}

template <typename Row>
Field<Row> time_field(std::string_view doc) {
  return {{"time", "Time", Unit::kSeconds, doc}, [](const Row& row) { return measured(row.time_s); }};
}

template <typename Row>
Field<Row> gap_field(std::string_view doc, bool wide = false) {
  return {{"gap", "Device waits", Unit::kSeconds, doc, wide}, [](const Row& row) { return measured(row.gap_s); }};
}

template <typename Row>
Field<Row> wait_field(std::string_view doc) {
  return {{"wait", "Host waits", Unit::kSeconds, doc, true}, [](const Row& row) { return measured(row.wait_s); }};
}

template <typename Row>
Field<Row> host_time_field(std::string_view doc, bool wide = false) {
  return {{"host_time", "Host time", Unit::kSeconds, doc, wide}, [](const Row& row) { return measured(row.host_s); }};
}

inline Cost work_of(const NodeRow& row) { return row.cost; }
/// Without what is not known, of which `unknown_field` tells.
inline Cost work_of(const Bucket& bucket) { return bucket.work.known(); }

template <typename Row>
Field<Row> shapes_field() {
  return {{"shapes", "Shapes", Unit::kText, "of the tensor operands"},
          [](const Row& row) { return text(operand_shapes(row.operands)); }};
}

inline Field<Bucket> byte_rate_field() {
  return {{"byte_rate", "Bandwidth", Unit::kByteRate, "least traffic over time", false, 1},
          [](const Bucket& b) { return measured(rate(work_of(b).bytes(), b.time_s)); }};
}

inline Field<Bucket> flop_rate_field() {
  return {{"flop_rate", "Rate", Unit::kFlopRate, "work over time", true},
          [](const Bucket& b) { return measured(rate(work_of(b).flops, b.time_s)); }};
}

template <typename Row>
Field<Row> flops_field(std::string_view doc) {
  return {{"flops", "Work", Unit::kFlops, doc}, [](const Row& row) { return measured(work_of(row).flops); }};
}

template <typename Row>
Field<Row> bytes_field(std::string_view doc) {
  return {{"bytes", "Bytes", Unit::kBytes, doc}, [](const Row& row) { return measured(work_of(row).bytes()); }};
}

inline Field<Bucket> unknown_field() {
  return {
      {"flops_unknown", "Work unknown", Unit::kCount, "nodes whose work is not known: `flops` is without theirs", true},
      [](const Bucket& bucket) -> FieldValue { return bucket.work.without_flops(); }};
}

inline Field<Bucket> share_field() {
  return {{"share", "Share", Unit::kShare, "of the node pass's wall time"},
          [](const Bucket& bucket) { return measured(bucket.share); }};
}

/// How far buckets are from what the device can do; absent where its limits were not measured.
inline std::vector<Field<Bucket>> limit_fields() {
  return {
      {{"limit", "At the limit", Unit::kSeconds,
        "if every call ran at the device's measured bandwidth or matrix rate, whichever it needs longer for", true},
       [](const Bucket& b) { return measured(b.limit_s); }},
      {{"distance", "Times the limit", Unit::kRatio,
        "time over the time at the limit; below 1 where operands stay in a cache"},
       [](const Bucket& b) { return measured(rate(b.time_s, b.limit_s)); }},
      {{"wasted", "Above the limit", Unit::kSeconds,
        "time above the limit, call by call: what work at the device's limits would win", true},
       [](const Bucket& b) { return measured(b.wasted_s); }},
  };
}

/// Median and spread of rows with a `latency` summary; where `doc` says what was timed.
template <typename Row>
std::vector<Field<Row>> latency_fields(std::string_view doc) {
  return {
      {{"latency", "Latency (median)", Unit::kSeconds, doc},
       [](const Row& row) { return measured(row.latency.median); }},
      {{"latency_p10", "Latency p10", Unit::kSeconds, "10th percentile"},
       [](const Row& row) { return measured(row.latency.p10); }},
      {{"latency_p90", "Latency p90", Unit::kSeconds, "90th percentile"},
       [](const Row& row) { return measured(row.latency.p90); }},
  };
}

template <typename Row>
std::vector<Field<Row>> joined(std::vector<Field<Row>> fields, const std::vector<Field<Row>>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace nongemm
