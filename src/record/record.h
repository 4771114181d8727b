// What was measured: all that analysis and reports see of a run. A session of ours (profile/) and the files of another
// tool (traces/) both leave a record, and nothing downstream can tell which. What was not measured is absent, never 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "record/collective_limits.h"
#include "record/device_state.h"
#include "record/latency_pass.h"
#include "record/limits.h"
#include "record/memory_use.h"
#include "record/node_pass.h"
#include "record/precision.h"
#include "record/runtime_program.h"
#include "record/trace.h"

namespace nongemm {

/// What runs: a graph, and what the runtime made of it. A model may have several entries over one set of weights.
struct Entry {
  /// The model's; of another tool's files, what they tell of it. Never null.
  std::shared_ptr<const Graph> graph;
  /// Nodes are known by name alone: neither sizes nor, therefore, work and bytes.
  bool names_only = false;
  /// By node: the one inside which it ran and whose times and work hold its own; kNoId for others. Empty where no node
  /// calls another.
  std::vector<NodeId> part_of;
  /// What the nodes of passes are, when the runtime has a program of its own.
  std::optional<RuntimeProgram> program;
  /// Types that only the run knew.
  std::vector<ObservedTypes> observed;
};

/// A device that took part.
struct RecordedDevice {
  /// The host's own processors: calls are the work, nothing runs beside them.
  bool is_host = true;
  std::optional<DeviceLimits> limits;
};

/// What a phase was on one device.
struct DevicePhase {
  NodePass nodes;
  std::optional<StepPass> steps;
  std::optional<MemoryUse> memory;
  /// Around the latency pass, where the device tells: energy, clocks, throttling.
  DeviceState before, after;
};

enum class PhaseKind : std::uint8_t {
  kInference,  // launched operator by operator, or as the runtime does it
  kReplay,     // the same work replayed from a capture (a CUDA graph)
  // Of a text generation.
  kPrefill,       // the prompt's pass, which makes the first token
  kDecode,        // one further token
  kDecodeReplay,  // the same replayed from a capture
};

inline std::string_view name_of(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::kInference:
      return "inference";
    case PhaseKind::kReplay:
      return "replay";
    case PhaseKind::kPrefill:
      return "prefill";
    case PhaseKind::kDecode:
      return "decode";
    case PhaseKind::kDecodeReplay:
      return "decode_replay";
  }
  return "";
}

/// A part of a run with a latency of its own.
struct Phase {
  PhaseKind kind = PhaseKind::kInference;
  std::size_t entry = 0;  // of Record::entries
  LatencyPass latency;
  std::vector<DevicePhase> devices;  // by Record::devices
};

struct Record {
  std::vector<Entry> entries;  // at least one
  std::vector<RecordedDevice> devices;
  /// Of all devices of a job together, where the model is one of several ranks'.
  std::optional<CollectiveLimits> collectives;
  std::vector<Phase> phases;  // none when nothing was run: the graphs alone are known
  Tf32Use fp32_in_tf32;
  /// Interrupted before all passes were complete; figures are of what was measured.
  bool incomplete = false;

  /// nullptr when there is none of the kind.
  const Phase* find(PhaseKind kind) const {
    for (const Phase& phase : phases) {
      if (phase.kind == kind) return &phase;
    }
    return nullptr;
  }
};

/// Of a graph that is not run.
inline Record record_of(Graph graph) {
  Record record;
  record.entries.emplace_back().graph = std::make_shared<const Graph>(std::move(graph));
  return record;
}

}  // namespace nongemm
