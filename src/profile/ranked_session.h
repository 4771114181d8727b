// A model whose ranks are measured together: the first rank drives the passes, and the others run what it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flows/communicator.h"
#include "flows/flow.h"
#include "record/rank_trace.h"

namespace nongemm {

/// What a rank traced, for the comparison with others.
class KeptTraces {
 public:
  /// Of a device those of the timing pass, with the nodes that the attributed trace before them says.
  void keep(TraceLevel level, const Trace& trace);
  /// Those with records of a device, where there are any.
  const std::vector<RankTrace>& all() const { return of_device_.empty() ? of_host_ : of_device_; }

 private:
  Trace reference_;
  std::vector<RankTrace> of_host_;
  std::vector<RankTrace> of_device_;
};

/// The first rank's session: each call goes to the other ranks, too. Keeps the traces that all ranks took together.
class LeadingSession : public Session {
 public:
  LeadingSession(Session& own, Communicator& ranks) : own_(own), ranks_(ranks) {}

  void set_inputs(const std::vector<HostTensor>& inputs) override { own_.set_inputs(inputs); }
  void align() override;
  void run() override;
  std::vector<HostTensor> outputs() override { return own_.outputs(); }
  void run_traced(TraceLevel level, Trace& trace) override;
  void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) override;
  /// Ranks are compared by whole inferences.
  bool can_record_windows() const override { return false; }
  void end_tracing() override { own_.end_tracing(); }
  std::string trace_source(TraceLevel level) const override { return own_.trace_source(level); }
  MemoryUse run_for_memory() override;
  std::vector<ObservedTypes> run_for_types() override;
  const RuntimeProgram* program() const override { return own_.program(); }
  std::vector<double> run_for_steps() override;
  void capture() override;
  Tf32Use fp32_in_tf32() const override { return own_.fp32_in_tf32(); }
  DeviceState device_state() override { return own_.device_state(); }
  // Not queue_times(): what a device takes up depends on the other ranks, too, which that model does not know.

  /// Lets the other ranks end, and gathers what all of them traced.
  RankTraces finish();

 private:
  Session& own_;
  Communicator& ranks_;
  bool aligned_ = false;
  KeptTraces kept_;
};

/// What another rank than the first does until that one is done.
void follow(Session& session, Communicator& ranks);

}  // namespace nongemm
