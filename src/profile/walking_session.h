// A step of a text generation that writes its state in place, made to run over and over.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flows/flow.h"

namespace nongemm {

/// Each run of such a session is the next step. This one lets it walk as far as the cache reaches, and then puts the
/// small states (counters, the token) back to where they were when it was made: one copy in so many runs.
class WalkingSession : public Session {
 public:
  /// @param room how many runs there is room for, at least one
  WalkingSession(Session& session, std::size_t room) : session_(session), room_(room) { session_.remember_states(); }

  void set_inputs(const std::vector<HostTensor>& inputs) override { session_.set_inputs(inputs); }
  void align() override;
  void run() override;
  std::vector<HostTensor> outputs() override { return session_.outputs(); }
  void run_traced(TraceLevel level, Trace& trace) override;
  void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) override;
  bool can_record_windows() const override { return session_.can_record_windows(); }
  void run_traced_windows(std::span<const Window> windows, std::span<Trace> traces) override;
  void end_tracing() override { session_.end_tracing(); }
  std::string trace_source(TraceLevel level) const override { return session_.trace_source(level); }
  MemoryUse run_for_memory() override;
  std::vector<ObservedTypes> run_for_types() override;
  const RuntimeProgram* program() const override { return session_.program(); }
  std::vector<double> run_for_steps() override;
  void capture() override;
  Tf32Use fp32_in_tf32() const override { return session_.fp32_in_tf32(); }
  std::optional<QueueTimes> queue_times() override { return session_.queue_times(); }
  DeviceState device_state() override { return session_.device_state(); }

 private:
  /// Before so many runs; puts the states back where they do not fit any more.
  void make_room(std::size_t runs);

  Session& session_;
  std::size_t room_;
  std::size_t walked_ = 0;
  bool aligned_ = false;  // there is room for the run that follows
};

}  // namespace nongemm
