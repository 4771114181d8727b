// A model whose ranks are measured together: the first rank drives the passes, and the others run what it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flows/communicator.h"
#include "flows/flow.h"
#include "profile/rank_orders.h"
#include "record/rank_trace.h"

namespace nongemm {

/// What a rank traced, for the comparison with others.
class KeptTraces {
 public:
  /// Of a device those of the timing pass, with the nodes that the attributed trace before them says.
  void keep(TraceLevel level, const Trace& trace);
  /// Of traces in a row: without the first ones, as the timing pass.
  void keep_row(TraceLevel level, std::span<const Trace> traces);
  /// What follows is a replay, which is another program: nothing of it is kept.
  void end() { ended_ = true; }
  /// Those with records of a device, where there are any.
  const std::vector<RankTrace>& all() const { return of_device_.empty() ? of_host_ : of_device_; }

 private:
  Trace reference_;
  std::vector<RankTrace> of_host_;
  std::vector<RankTrace> of_device_;
  bool ended_ = false;
};

/// The first rank's session: each call goes to the other ranks, too. Keeps the traces that all ranks took together.
class LeadingSession : public Session {
 public:
  /// @param number of the session, where the ranks have several
  LeadingSession(Session& own, Communicator& ranks, std::uint16_t number = 0)
      : own_(own), ranks_(ranks), number_(number) {}

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
  void advance() override;
  void run_on() override;
  void remember_states() override;
  void restore_states() override;
  HostTensor output(std::size_t index) override { return own_.output(index); }
  Tf32Use fp32_in_tf32() const override { return own_.fp32_in_tf32(); }
  DeviceState device_state() override { return own_.device_state(); }
  // Not queue_times(): what a device takes up depends on the other ranks, too, which that model does not know.

  Session& own() { return own_; }
  bool has_traces() const { return !kept_.all().empty(); }
  /// The other ranks know of the run_on() that comes next.
  void announced() { announced_ = true; }
  /// What all ranks traced.
  RankTraces gather();
  /// The other ranks call measure_collectives() now, as the caller does.
  void ask_for_limits() { tell(RankCommand::kMeasureLimits); }

 private:
  void tell(RankCommand command, TraceLevel level = TraceLevel::kHost, std::size_t count = 0);

  Session& own_;
  Communicator& ranks_;
  std::uint16_t number_;
  bool aligned_ = false;
  bool announced_ = false;
  KeptTraces kept_;
};

/// Another rank's session, which does what the first rank's does.
class FollowingSession {
 public:
  FollowingSession(Session& own, Communicator& ranks) : own_(own), ranks_(ranks) {}

  void obey(const RankOrder& order);

 private:
  Session& own_;
  Communicator& ranks_;
  KeptTraces kept_;
};

/// The next order of the first rank.
RankOrder next_order(Communicator& ranks);
/// Lets the other ranks end.
void end_ranks(Communicator& ranks);

/// Calls `obey` with one order after the other until the first rank is done. What a rank cannot do the first cannot,
/// either, and goes on without.
template <typename Obey>
void follow_orders(Communicator& ranks, Obey&& obey) {
  while (true) {
    const RankOrder order = next_order(ranks);
    if (order.command == RankCommand::kEnd) return;
    try {
      obey(order);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
    }
  }
}

/// What another rank than the first does until that one is done.
void follow(Session& session, Communicator& ranks);

}  // namespace nongemm
