#include "profile/walking_session.h"

#include <algorithm>
#include <utility>

namespace nongemm {

void WalkingSession::make_room(std::size_t runs) {
  if (walked_ + runs > room_) {
    session_.restore_states();
    walked_ = 0;
  }
  walked_ += runs;
}

void WalkingSession::align() {
  make_room(1);
  aligned_ = true;
  session_.align();
}

void WalkingSession::run() {
  if (!std::exchange(aligned_, false)) make_room(1);
  session_.run();
}

void WalkingSession::run_traced(TraceLevel level, Trace& trace) {
  make_room(1);
  session_.run_traced(level, trace);
}

void WalkingSession::run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) {
  while (!traces.empty()) {
    const std::size_t runs = std::min(room_, traces.size());
    make_room(runs);
    session_.run_traced_in_a_row(level, traces.first(runs));
    traces = traces.subspan(runs);
  }
}

void WalkingSession::run_traced_windows(std::span<const Window> windows, std::span<Trace> traces) {
  while (!traces.empty()) {
    const std::size_t runs = std::min(room_, traces.size());
    make_room(runs);
    session_.run_traced_windows(windows.first(runs), traces.first(runs));
    windows = windows.subspan(runs);
    traces = traces.subspan(runs);
  }
}

MemoryUse WalkingSession::run_for_memory() {
  make_room(1);
  return session_.run_for_memory();
}

std::vector<ObservedTypes> WalkingSession::run_for_types() {
  make_room(1);
  return session_.run_for_types();
}

std::vector<double> WalkingSession::run_for_steps() {
  make_room(1);
  return session_.run_for_steps();
}

void WalkingSession::capture() {
  session_.restore_states();
  walked_ = 0;
  session_.capture();
}

}  // namespace nongemm
