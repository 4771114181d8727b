#include "profile/windows.h"

#include <algorithm>
#include <unordered_map>

namespace nongemm {
namespace {

/// Too few records in a window would make switching cost as much as recording.
constexpr std::size_t kLeastRecords = 16;

/// Spans that have records, once for each, in order; empty when a record has none.
std::vector<std::uint32_t> spans_of(const Trace& trace) {
  std::vector<std::uint32_t> spans;
  for (const DeviceRecord& record : trace.device) spans.push_back(record.span);
  std::sort(spans.begin(), spans.end());
  if (!spans.empty() && spans.back() == kNoId) spans.clear();
  return spans;
}

bool holds(const Window& window, std::uint32_t span) { return span >= window.first && span <= window.last; }

/// When the last record of an operator ends; nothing when it has none.
std::optional<std::int64_t> end_of(const Trace& trace, std::uint32_t span) {
  std::optional<std::int64_t> end;
  for (const DeviceRecord& record : trace.device) {
    if (record.span == span) end = std::max(end.value_or(record.end_ns), record.end_ns);
  }
  return end;
}

/// Adds records to a trace, whatever table of names they come with.
class Joined {
 public:
  void add(DeviceRecord record, const Trace& from, std::int64_t shift) {
    record.begin_ns += shift;
    record.end_ns += shift;
    if (record.name != kNoId) record.name = place_of(from.names[record.name]);
    trace.device.push_back(record);
  }

  Trace trace;

 private:
  std::uint32_t place_of(const std::string& name) {
    const auto [place, added] = places_.emplace(name, static_cast<std::uint32_t>(trace.names.size()));
    if (added) trace.names.push_back(name);
    return place->second;
  }

  std::unordered_map<std::string, std::uint32_t> places_;
};

}  // namespace

WindowPlan::WindowPlan(const Trace& reference, std::size_t most) {
  const std::vector<std::uint32_t> spans = spans_of(reference);
  const std::size_t count = std::clamp<std::size_t>(spans.size() / kLeastRecords, 1, std::max<std::size_t>(most, 1));
  windows_.push_back({});
  for (std::size_t i = 1; i < count; ++i) {
    const std::uint32_t joint = spans[spans.size() * i / count];
    if (joint <= windows_.back().first) continue;  // one operator with the records of several windows
    windows_.back().last = joint;
    windows_.push_back({joint, kNoId});
  }
  for (const Window& window : windows_) {
    Trace& part = references_.emplace_back();
    part.names = reference.names;
    std::copy_if(reference.device.begin(), reference.device.end(), std::back_inserter(part.device),
                 [&](const DeviceRecord& record) { return windows_.size() == 1 || holds(window, record.span); });
  }
}

std::optional<Trace> WindowPlan::join(std::span<Trace> parts, RecordMatch& match) const {
  match = RecordMatch();
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    align_to_window(parts[i]);
    match += attribute(references_[i], parts[i]);
  }
  Joined joined;
  joined.trace.begin_ns = parts.front().begin_ns;
  std::int64_t joint_ns = 0;  // where the part before ends, in the joined inference's time
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const bool first = i == 0;
    const bool last = i + 1 == windows_.size();
    const auto begin = first ? parts[i].begin_ns : end_of(parts[i], windows_[i].first);
    const auto end = last ? parts[i].end_ns : end_of(parts[i], windows_[i].last);
    if (!begin || !end) return std::nullopt;
    const std::int64_t shift = first ? 0 : joint_ns - *begin;
    for (const DeviceRecord& record : parts[i].device) {
      const bool of_part_before = record.span == kNoId ? record.begin_ns < *begin : record.span <= windows_[i].first;
      if (first || !of_part_before) joined.add(record, parts[i], shift);
    }
    joint_ns = *end + shift;
  }
  joined.trace.end_ns = joint_ns;
  return std::move(joined.trace);
}

}  // namespace nongemm
