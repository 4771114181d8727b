// Driving a session through its passes. Each pass records as little as it can, because recording changes what it
// measures; docs/measuring.md defines every figure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows/flow.h"
#include "profile/kernel_sums.h"
#include "profile/statistics.h"
#include "profile/stopping.h"

namespace nongemm {

struct MeasurePolicy {
  std::optional<int> iterations;  // exactly so many, instead of the interval rule
  std::optional<int> warmup;      // exactly so many, instead of the time rule
  double most_seconds = 10.0;     // of the latency pass; the node pass's traced runs take at most as long
};

/// Times of one node, averaged over the same iterations for all nodes, so that they add up.
struct NodeTime {
  double host_s = 0;    // inside its call
  double device_s = 0;  // its kernels, overlap resolved; 0 on a host
  double gap_s = 0;     // the device waited for it
  double wait_s = 0;    // the host waited for the device in it
  double calls = 0;     // per inference; more than one in a loop
  double kernels = 0;   // per inference
};

/// The pass that tells nodes apart.
struct NodePass {
  std::vector<double> wall_s;  // raw samples; where windows are recorded, of inferences with one each
  /// Plain runs between those, so that a host whose speed drifts does not pass for overhead. Raw samples.
  std::vector<double> plain_s;
  int averaged = 0;             // iterations that the means below are over
  double mean_wall_s = 0;       // of those iterations
  double recorded_s = 0;        // on a device: the same as recorded, before idle time is scaled
  std::vector<NodeTime> nodes;  // by NodeId, or by step of the runtime's program
  double outside_s = 0;         // wall time in no node: the executor's own (host), remainder (device)
  double device_busy_s = 0;     // union of device activity
  double gap_s = 0;             // all gaps between first and last activity
  double head_s = 0;            // until the device starts
  double tail_s = 0;            // from the device's end until the host has returned
  double attributed = 1.0;      // share of kernel time that belongs to a node
  /// Kernels were recorded: what the device did when, and so gaps, is known.
  bool kernel_records = false;
  std::vector<KernelSum> kernels;  // by node and name; empty on a host
  std::string how;                 // the kind of records used, and why not a lighter one
};

/// The pass in which the runtime itself takes the time of its steps.
struct StepPass {
  std::vector<double> mean_s;  // by step
  std::vector<double> sum_s;   // of all steps; raw samples
};

struct Measurement {
  std::vector<double> warmup_s;
  std::vector<double> latency_s;  // raw samples of the plain pass
  std::string stopping_rule;
  NodePass nodes;
  std::optional<MemoryUse> memory;
  std::vector<ObservedTypes> observed;
  /// What the nodes of the node pass are when the runtime has a program of its own.
  std::optional<RuntimeProgram> program;
  std::optional<StepPass> steps;
  /// Around the plain pass, where the device tells: energy, clocks, throttling.
  DeviceState before, after;
  /// Interrupted before all passes were complete; figures are of what was measured.
  bool incomplete = false;
};

/// One plain inference, in seconds.
double timed_run(Session& session);

/// Runs until caches, allocators and clocks have settled, or as often as the policy says; the times of all runs.
std::vector<double> warm_up(Session& session, const MeasurePolicy& policy);

/// When a pass under this policy ends.
std::unique_ptr<StoppingRule> rule_for(const MeasurePolicy& policy);

/// How many nodes the session's traces count: the steps of the runtime's program, or the graph's nodes.
std::size_t traced_nodes(const Session& session, const Graph& graph);

/// @param on_device the session runs on a device with its own clock of work (TraceLevel::kTiming and kAttribution)
Measurement measure(Session& session, const Graph& graph, const MeasurePolicy& policy, bool on_device);

}  // namespace nongemm
