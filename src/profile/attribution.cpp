#include "profile/attribution.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/common_sequence.h"

namespace nongemm {
namespace {

/// Positions of each stream's records, in order of execution.
std::map<std::uint32_t, std::vector<std::uint32_t>> by_stream(const Trace& trace) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> streams;
  for (std::uint32_t i = 0; i < trace.device.size(); ++i) streams[trace.device[i].stream].push_back(i);
  for (auto& [stream, positions] : streams) {
    std::stable_sort(positions.begin(), positions.end(), [&](std::uint32_t a, std::uint32_t b) {
      return trace.device[a].begin_ns < trace.device[b].begin_ns;
    });
  }
  return streams;
}

/// For each name of `timing` its place in `reference`; kNoId when it has none.
std::vector<std::uint32_t> translate_names(const Trace& reference, const Trace& timing) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < reference.names.size(); ++i) places.emplace(reference.names[i], i);
  std::vector<std::uint32_t> translated;
  for (const std::string& name : timing.names) {
    const auto place = places.find(name);
    translated.push_back(place == places.end() ? kNoId : place->second);
  }
  return translated;
}

bool same_work(const DeviceRecord& reference, const DeviceRecord& timing, const std::vector<std::uint32_t>& names) {
  if (reference.kind != timing.kind) return false;
  if (timing.kind != DeviceRecord::Kind::kKernel) return reference.bytes == timing.bytes;
  if (timing.name == kNoId || reference.name == kNoId) return timing.name == reference.name;
  return names[timing.name] == reference.name;
}

double duration(const DeviceRecord& record) { return static_cast<double>(record.end_ns - record.begin_ns); }

}  // namespace

RecordMatch attribute(const Trace& reference, Trace& timing) {
  const auto reference_streams = by_stream(reference);
  const std::vector<std::uint32_t> names = translate_names(reference, timing);
  RecordMatch match;
  match.missing = reference.device.size();
  match.surplus = timing.device.size();
  for (const DeviceRecord& record : reference.device) match.missing_ns += duration(record);
  for (DeviceRecord& record : timing.device) {
    record.node = kNoId;
    record.span = kNoId;
    match.surplus_ns += duration(record);
  }
  for (const auto& [stream, positions] : by_stream(timing)) {
    const auto counterpart = reference_streams.find(stream);
    if (counterpart == reference_streams.end()) continue;
    const std::vector<std::uint32_t>& originals = counterpart->second;
    const auto same = [&, &others = positions](std::size_t i, std::size_t k) {
      return same_work(reference.device[originals[i]], timing.device[others[k]], names);
    };
    for (const auto& [i, k] : common_sequence(originals.size(), positions.size(), kMostDifferences, same)) {
      DeviceRecord& record = timing.device[positions[k]];
      record.node = reference.device[originals[i]].node;
      record.span = reference.device[originals[i]].span;
      match.matched_ns += duration(record);
      match.surplus_ns -= duration(record);
      match.missing_ns -= duration(reference.device[originals[i]]);
      ++match.matched;
      --match.surplus;
      --match.missing;
    }
  }
  return match;
}

double RecordMatch::matched_time() const {
  const double all = matched_ns + std::max(surplus_ns, missing_ns);
  return all > 0 ? matched_ns / all : 1.0;
}

double RecordMatch::known_time() const {
  const double all = matched_ns + surplus_ns;
  return all > 0 ? matched_ns / all : 1.0;
}

RecordMatch& RecordMatch::operator+=(const RecordMatch& other) {
  matched += other.matched;
  surplus += other.surplus;
  missing += other.missing;
  matched_ns += other.matched_ns;
  surplus_ns += other.surplus_ns;
  missing_ns += other.missing_ns;
  return *this;
}

}  // namespace nongemm
