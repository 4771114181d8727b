// What another tool's profiler recorded of a program, as plain data, whichever tool it was: operators with their host
// times, activities of devices, each with the operator that launched it. Times are integers of nanoseconds on the
// file's own clock; the whole file is one stretch of time, not one inference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/timeline.h"
#include "record/trace.h"

namespace nongemm {

/// A place in the program that operators ran in: a module, or a range that the program named.
struct ToolScope {
  std::uint32_t parent = 0;  // of ToolTrace::scopes; the first is the root
  std::string name;          // "h.0", "GPT2Block_3"
  std::string type;          // the module's class; empty for a named range
};

/// All calls of one operator with the same operands in one scope, from one caller. Positions are those of
/// ToolTrace::trace.names; kNoId where the file does not tell.
struct ToolNode {
  std::uint32_t name = kNoId;    // as the tool has it: "aten::addmm"
  std::uint32_t shapes = kNoId;  // text as recorded: "[[1, 256], []]"
  std::uint32_t types = kNoId;   // "["long int", "Scalar"]"
  std::uint32_t values = kNoId;  // of operands that are no tensors: "["", "0"]"
  std::uint32_t scope = 0;
  std::uint32_t caller = kNoId;  // of ToolTrace::nodes, before this one: the operator inside which it was called
  std::int64_t calls = 0;
  std::int64_t total_ns = 0;  // inside the calls
  std::int64_t host_ns = 0;   // the same without operators that they called
};

/// A queue of work of a device. DeviceRecord::stream is a position among these.
struct ToolStream {
  std::int64_t device = 0;
  std::int64_t stream = 0;
};

/// A stretch that the program marked as one step: an iteration of its loop.
struct ToolStep {
  std::string name;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

/// A collective as the file tells it beside its kernel.
struct ToolCollective {
  std::uint32_t record = 0;  // of Trace::device
  std::string name;          // "all_reduce"
  std::string group;         // the ranks' group
};

struct ToolTrace {
  std::string kind;  // "kineto", "onnxruntime", "nsys"
  /// Rows or elements of the file that could be read.
  std::int64_t events = 0;
  /// Of those, the ones that had to be mended first.
  std::int64_t repaired = 0;
  /// Those that could not be read.
  std::int64_t dropped = 0;
  /// What was found odd, and what cannot be told from this file: one sentence each.
  std::vector<std::string> notes;

  std::vector<ToolNode> nodes;
  std::vector<ToolScope> scopes{ToolScope{}};
  std::vector<ToolStream> streams;
  std::vector<ToolStep> steps;
  std::vector<ToolCollective> collectives;
  /// From the first to the last event. `nodes` has the calls of operators on all threads, beside activities of devices
  /// the first kMostRecordsKept alone; their nodes and those of device records are positions in ToolTrace::nodes.
  Trace trace;
  std::size_t calls_left_out = 0;  // of trace.nodes

  /// Of one job's several processes: which of them this is.
  std::optional<std::int64_t> rank;
  std::vector<std::string> device_names;

  /// ONNX Runtime: inferences, each with its wall time.
  std::vector<std::int64_t> run_ns;
};

}  // namespace nongemm
