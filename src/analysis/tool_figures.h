// What the trace of another tool says by itself: direct sums over its activities, by operator, kernel, stream and step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/tool_record.h"

namespace nongemm {

/// Activities added up.
struct ActivitySum {
  /// Those of a device are in the file: otherwise nothing is known of them, which is not 0.
  bool recorded = true;
  std::int64_t kernels = 0;
  std::int64_t kernel_ns = 0;
  std::int64_t copies = 0;
  std::int64_t copy_ns = 0;
  std::int64_t fills = 0;
  std::int64_t fill_ns = 0;

  void add(const DeviceRecord& record);
};

/// An operator as the tool names it.
struct ToolOperator {
  std::string name;            // "aten::addmm"
  std::optional<Group> group;  // of its kernels, else of its copies, else its own; absent where they are several
  std::int64_t calls = 0;
  std::int64_t total_ns = 0;  // of the host, inside its calls
  std::int64_t host_ns = 0;   // the same without operators that they called
  std::int64_t gap_ns = 0;    // the device waited for its activities
  std::int64_t gaps = 0;
  std::int64_t longest_gap_ns = 0;
  ActivitySum sum;
};

struct ToolKernel {
  std::string name;
  std::string operator_name;  // the one with the most time
  Group group = Group::kOther;
  std::int64_t launches = 0;
  std::int64_t time_ns = 0;
};

struct StreamSum {
  ToolStream stream;
  ActivitySum sum;
  std::int64_t busy_ns = 0;
};

/// What was launched within a step.
struct StepSum {
  std::string name;
  std::int64_t host_ns = 0;
  std::int64_t busy_ns = 0;
  ActivitySum sum;
};

/// Kernel time by what its group was told by.
struct GroupedTime {
  GroupedBy by = GroupedBy::kNothing;
  std::int64_t time_ns = 0;
};

struct ToolFigures {
  const ToolTrace* trace = nullptr;
  ActivitySum sum;
  std::int64_t busy_ns = 0;
  std::int64_t span_ns = 0;
  /// Time in which more than one stream runs, added up over streams.
  std::int64_t overlap_ns = 0;
  std::int64_t devices = 0;
  std::int64_t without_operator_ns = 0;  // of kernel time
  std::int64_t gemm_ns = 0;              // of kernel time
  std::vector<ToolOperator> operators;   // the most kernel time first
  std::vector<ToolKernel> kernels;       // the most time first
  std::vector<StreamSum> streams;
  std::vector<StepSum> steps;
  std::vector<GroupedTime> grouped;
};

/// @param record what `record_of` made of the trace
/// @param analysis of that record
ToolFigures tool_figures(const ToolTrace& trace, const ToolRecord& record, const Analysis& analysis);

}  // namespace nongemm
