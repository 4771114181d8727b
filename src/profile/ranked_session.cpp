#include "profile/ranked_session.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "profile/attribution.h"
#include "profile/timing_pass.h"

namespace nongemm {
namespace {

/// Traces kept for the comparison of ranks: enough for means, and bounded.
constexpr std::size_t kMostTraces = 100;

// --- traces as bytes, between processes of one build (require_same) ---
static_assert(std::is_trivially_copyable_v<NodeSpan> && std::is_trivially_copyable_v<DeviceRecord>);

template <typename T>
void write(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <typename T>
void write_all(std::string& bytes, const std::vector<T>& values) {
  write(bytes, values.size());
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}
template <typename T>
T read(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}
template <typename T>
std::vector<T> read_all(const char*& at) {
  std::vector<T> values(read<std::size_t>(at));
  std::memcpy(values.data(), at, values.size() * sizeof(T));
  at += values.size() * sizeof(T);
  return values;
}

std::string to_bytes(const std::vector<RankTrace>& traces) {
  std::string bytes;
  write(bytes, traces.size());
  for (const RankTrace& trace : traces) {
    write(bytes, trace.begin_ns);
    write(bytes, trace.end_ns);
    write_all(bytes, trace.spans);
    write_all(bytes, trace.device);
  }
  return bytes;
}

std::vector<RankTrace> from_bytes(const std::string& bytes) {
  const char* at = bytes.data();
  std::vector<RankTrace> traces(read<std::size_t>(at));
  for (RankTrace& trace : traces) {
    trace.begin_ns = read<std::int64_t>(at);
    trace.end_ns = read<std::int64_t>(at);
    trace.spans = read_all<NodeSpan>(at);
    trace.device = read_all<DeviceRecord>(at);
  }
  return traces;
}

/// Processes of one system count on one clock (CLOCK_MONOTONIC), for which this is the name; empty where it has none.
std::string name_of_clock() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string name;
  std::getline(file, name);
  return name;
}

/// What a device is idle for is charged to where its host was: a reading of the clock at each node tells that.
TraceLevel with_spans(TraceLevel level) { return level == TraceLevel::kTiming ? TraceLevel::kTimingSpans : level; }

/// As NTP does: what a rank says its clock shows, against the middle of asking and hearing; the quickest answer counts.
std::vector<ClockOffset> clock_offsets(Communicator& ranks) {
  constexpr int kTimes = 16;
  std::vector<ClockOffset> offsets(static_cast<std::size_t>(ranks.ranks()));
  for (ClockOffset& offset : offsets) offset.within_ns = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTimes; ++i) {
    ranks.barrier();
    const std::int64_t asked = now_ns();
    const std::vector<std::string> told = ranks.exchange(std::to_string(now_ns()));
    const std::int64_t heard = now_ns();
    for (std::size_t rank = 0; rank < told.size(); ++rank) {
      const std::int64_t within = (heard - asked) / 2;
      if (within >= offsets[rank].within_ns) continue;
      offsets[rank] = {std::stoll(told[rank]) - (asked + within), within};
    }
  }
  const std::vector<std::string> names = ranks.exchange(name_of_clock());
  for (std::size_t rank = 0; rank < names.size(); ++rank) {
    if (!names[0].empty() && names[rank] == names[0]) offsets[rank] = {};
  }
  offsets.front() = {};
  return offsets;
}

RankTraces gather(Communicator& ranks, const std::vector<RankTrace>& own) {
  RankTraces all;
  all.clocks = clock_offsets(ranks);
  for (const std::string& bytes : ranks.exchange(to_bytes(own))) all.by_rank.push_back(from_bytes(bytes));
  std::size_t common = own.size();
  for (const auto& rank : all.by_rank) common = std::min(common, rank.size());
  for (auto& rank : all.by_rank) rank.resize(common);
  return all;
}

}  // namespace

void KeptTraces::keep(TraceLevel level, const Trace& trace) {
  if (ended_) return;
  if (level == TraceLevel::kAttribution) {
    reference_ = trace;
    return;
  }
  std::vector<RankTrace>& traces = level == TraceLevel::kHost ? of_host_ : of_device_;
  if (traces.size() >= kMostTraces) return;
  Trace attributed = trace;
  const bool known = std::all_of(trace.device.begin(), trace.device.end(),
                                 [](const DeviceRecord& record) { return record.node != kNoId; });
  if (!known) attribute(reference_, attributed);
  traces.push_back({trace.begin_ns, trace.end_ns, trace.nodes, std::move(attributed.device)});
}

void KeptTraces::keep_row(TraceLevel level, std::span<const Trace> traces) {
  // Ranks do not take up records at the same time.
  const std::size_t first = traces.size() > kFirstRuns ? kFirstRuns : 0;
  for (const Trace& trace : traces.subspan(first)) keep(level, trace);
}

void LeadingSession::tell(RankCommand command, TraceLevel level, std::size_t count) {
  const RankOrder order{command, number_, level, static_cast<std::uint32_t>(count)};
  ranks_.from_first(order.packed());
}

void LeadingSession::align() {
  tell(RankCommand::kRun);
  ranks_.barrier();
  aligned_ = true;
}

void LeadingSession::run() {
  if (!std::exchange(aligned_, false)) align();
  aligned_ = false;
  own_.run();
}

void LeadingSession::run_traced(TraceLevel level, Trace& trace) {
  level = with_spans(level);
  tell(RankCommand::kTrace, level);
  ranks_.barrier();
  own_.run_traced(level, trace);
  kept_.keep(level, trace);
}

void LeadingSession::run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) {
  level = with_spans(level);
  tell(RankCommand::kTraceInARow, level, traces.size());
  ranks_.barrier();
  own_.run_traced_in_a_row(level, traces);
  kept_.keep_row(level, traces);
}

MemoryUse LeadingSession::run_for_memory() {
  tell(RankCommand::kMemory);
  return own_.run_for_memory();
}

std::vector<ObservedTypes> LeadingSession::run_for_types() {
  tell(RankCommand::kTypes);
  return own_.run_for_types();
}

std::vector<double> LeadingSession::run_for_steps() {
  tell(RankCommand::kSteps);
  return own_.run_for_steps();
}

void LeadingSession::capture() {
  tell(RankCommand::kCapture);
  kept_.end();
  own_.capture();
}

void LeadingSession::advance() {
  tell(RankCommand::kAdvance);
  own_.advance();
}

void LeadingSession::run_on() {
  if (!std::exchange(announced_, false)) tell(RankCommand::kRunOn);
  own_.run_on();
}

void LeadingSession::remember_states() {
  tell(RankCommand::kRemember);
  own_.remember_states();
}

void LeadingSession::restore_states() {
  tell(RankCommand::kRestore);
  own_.restore_states();
}

RankTraces LeadingSession::gather() {
  tell(RankCommand::kGather);
  return nongemm::gather(ranks_, kept_.all());
}

void FollowingSession::obey(const RankOrder& order) {
  const bool traced = order.command == RankCommand::kTrace || order.command == RankCommand::kTraceInARow;
  if (traced || order.command == RankCommand::kRun) ranks_.barrier();
  std::vector<Trace> traces(traced ? std::max(1U, order.count) : 0);
  switch (order.command) {
    case RankCommand::kGather:
      nongemm::gather(ranks_, kept_.all());
      break;
    case RankCommand::kMeasureLimits:
      (void)ranks_.measure_collectives();
      break;
    case RankCommand::kRun:
      own_.run();
      break;
    case RankCommand::kRunOn:
      own_.run_on();
      break;
    case RankCommand::kAdvance:
      own_.advance();
      break;
    case RankCommand::kRemember:
      own_.remember_states();
      break;
    case RankCommand::kRestore:
      own_.restore_states();
      break;
    case RankCommand::kTrace:
      own_.run_traced(order.level, traces.front());
      break;
    case RankCommand::kTraceInARow:
      own_.run_traced_in_a_row(order.level, traces);
      break;
    case RankCommand::kMemory:
      (void)own_.run_for_memory();
      break;
    case RankCommand::kTypes:
      (void)own_.run_for_types();
      break;
    case RankCommand::kSteps:
      (void)own_.run_for_steps();
      break;
    case RankCommand::kCapture:
      kept_.end();
      own_.capture();
      break;
    case RankCommand::kEnd:
    case RankCommand::kBegin:
    case RankCommand::kToken:
    case RankCommand::kStep:
    case RankCommand::kOwnStep:
      throw Error(ErrorKind::kFailed, "the first rank asks of a session what none does");
  }
  kept_.keep_row(order.level, traces);
}

RankOrder next_order(Communicator& ranks) { return RankOrder::unpacked(ranks.from_first(0)); }

void end_ranks(Communicator& ranks) { ranks.from_first(RankOrder{}.packed()); }

void follow(Session& session, Communicator& ranks) {
  FollowingSession own(session, ranks);
  follow_orders(ranks, [&](const RankOrder& order) { own.obey(order); });
}

}  // namespace nongemm
