#include "profile/ranked_session.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "profile/attribution.h"

namespace nongemm {
namespace {

/// What the first rank has the others do; a count goes with it.
enum class Command : std::uint8_t { kEnd, kRun, kTrace, kTraceInARow, kMemory, kTypes, kSteps, kCapture };

/// Traces kept for the comparison of ranks: enough for means, and bounded.
constexpr std::size_t kMostTraces = 100;

std::int64_t packed(Command command, TraceLevel level = TraceLevel::kHost, std::size_t count = 0) {
  return static_cast<std::int64_t>(command) | static_cast<std::int64_t>(level) << 8 |
         static_cast<std::int64_t>(count) << 16;
}

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

void LeadingSession::align() {
  ranks_.from_first(packed(Command::kRun));
  ranks_.barrier();
  aligned_ = true;
}

void LeadingSession::run() {
  if (!std::exchange(aligned_, false)) align();
  aligned_ = false;
  own_.run();
}

void LeadingSession::run_traced(TraceLevel level, Trace& trace) {
  ranks_.from_first(packed(Command::kTrace, level));
  ranks_.barrier();
  own_.run_traced(level, trace);
  kept_.keep(level, trace);
}

void LeadingSession::run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) {
  ranks_.from_first(packed(Command::kTraceInARow, level, traces.size()));
  ranks_.barrier();
  own_.run_traced_in_a_row(level, traces);
  for (const Trace& trace : traces) kept_.keep(level, trace);
}

MemoryUse LeadingSession::run_for_memory() {
  ranks_.from_first(packed(Command::kMemory));
  return own_.run_for_memory();
}

std::vector<ObservedTypes> LeadingSession::run_for_types() {
  ranks_.from_first(packed(Command::kTypes));
  return own_.run_for_types();
}

std::vector<double> LeadingSession::run_for_steps() {
  ranks_.from_first(packed(Command::kSteps));
  return own_.run_for_steps();
}

void LeadingSession::capture() {
  ranks_.from_first(packed(Command::kCapture));
  own_.capture();
}

RankTraces LeadingSession::finish() {
  ranks_.from_first(packed(Command::kEnd));
  return gather(ranks_, kept_.all());
}

namespace {

/// One of them; whether there is more to come.
bool obey(std::int64_t told, Session& session, Communicator& ranks, KeptTraces& kept) {
  const auto command = static_cast<Command>(told & 0xff);
  const auto level = static_cast<TraceLevel>(told >> 8 & 0xff);
  std::vector<Trace> traces(std::max<std::size_t>(1, static_cast<std::size_t>(told >> 16)));
  switch (command) {
    case Command::kEnd:
      return false;
    case Command::kRun:
      ranks.barrier();
      session.run();
      break;
    case Command::kTrace:
      ranks.barrier();
      session.run_traced(level, traces.front());
      break;
    case Command::kTraceInARow:
      ranks.barrier();
      session.run_traced_in_a_row(level, traces);
      break;
    case Command::kMemory:
      (void)session.run_for_memory();
      break;
    case Command::kTypes:
      (void)session.run_for_types();
      break;
    case Command::kSteps:
      (void)session.run_for_steps();
      break;
    case Command::kCapture:
      session.capture();
      break;
  }
  const bool traced = command == Command::kTrace || command == Command::kTraceInARow;
  for (const Trace& trace : traces) {
    if (traced) kept.keep(level, trace);
  }
  return true;
}

}  // namespace

void follow(Session& session, Communicator& ranks) {
  KeptTraces kept;
  while (true) {
    try {
      if (!obey(ranks.from_first(0), session, ranks, kept)) break;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;  // the first rank meets the same, and goes on
    }
  }
  gather(ranks, kept.all());
}

}  // namespace nongemm
