// What was found of the parts of an inference: times of nodes that add up, and what the device did meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/kernel_sums.h"
#include "record/trace.h"

namespace nongemm {

/// Times of one node, averaged over the same iterations for all nodes, so that they add up.
struct NodeTime {
  double host_s = 0;    // inside its call
  double device_s = 0;  // its kernels, overlap resolved; 0 on a host
  double gap_s = 0;     // the device waited for it
  double wait_s = 0;    // the host waited for the device in it
  double calls = 0;     // per inference; more than one in a loop
  double kernels = 0;   // per inference
};

/// Inferences of one speed of the host, which virtual machines change between: means, put together as such.
struct HostSpeed {
  int inferences = 0;
  double wall_s = 0;
  double device_s = 0, gap_s = 0, head_s = 0, tail_s = 0;
};

/// How well inferences that nothing recorded could be put together from host spans and a model of the device's queue.
struct Reconstruction {
  int inferences = 0;        // plain ones with host spans
  double latency = 0;        // reconstructed over measured, median
  double start_error_s = 0;  // mean distance of kernels' begins from those of recorded inferences, which had no part
  double gap_error = 0;      // distance of nodes' gaps from theirs, in sum, over the latency
  double halves_apart = 0;   // most that an operator's share of idle time differs between halves of the inferences
  std::string rejected;      // why the parts are not of these inferences; empty when they are
  std::vector<HostSpeed> speeds;  // the most frequent first
};

/// The pass that tells nodes apart.
struct NodePass {
  std::vector<double> wall_s;  // raw samples; where windows are recorded, of inferences with one each
  /// Plain runs between those, so that a host whose speed drifts does not pass for overhead. Raw samples.
  std::vector<double> plain_s;
  /// Of each of those in turn: the device's busy time, or the time inside calls on a host. Raw samples.
  std::vector<double> inside_s;
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
  /// On a device whose launches are waited for, where host spans of plain inferences are to be had.
  std::optional<Reconstruction> reconstruction;
  /// One inference as it was recorded, the shortest that was seen with calls and launches.
  std::optional<Trace> example;
};

/// The pass in which the runtime itself takes the time of its steps.
struct StepPass {
  std::vector<double> mean_s;  // by step
  int inferences = 0;          // that the means are over
  std::vector<double> sum_s;   // of all steps; raw samples, where they are known

  /// Of all steps together, mean.
  double total_s() const;
};

/// The steps' times where no kernel records are: nothing is known of gaps.
/// @param plain_s the latency; nothing where it is not known, and the steps' sum has to stand for it
NodePass node_pass_of(const StepPass& steps, std::optional<double> plain_s, std::string how);

}  // namespace nongemm
