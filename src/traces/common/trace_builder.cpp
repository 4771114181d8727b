#include "traces/common/trace_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <set>
#include <tuple>

namespace nongemm::traces {
namespace {

constexpr std::uint32_t kDeepestScope = 200;
constexpr std::uint32_t kDeepestCall = 50;  // operators in operators that are told apart
constexpr std::uint32_t kThreads = (1U << 31U) - 1;

std::size_t hash_of(std::initializer_list<std::uint32_t> parts) {
  std::uint64_t hash = 0;
  for (const std::uint32_t part : parts) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
  }
  return hash;
}

template <typename Container, typename Less>
void sort_unless_sorted(Container& items, const Less& less) {
  if (!std::is_sorted(items.begin(), items.end(), less)) std::stable_sort(items.begin(), items.end(), less);
}

/// The first item of this id, or where it would stand, among items in the order of their ids.
/// @param last where the search before ended: the next one mostly ends there again, or a step or two behind it
template <typename Items, typename IdOf>
auto first_with(const Items& items, std::int64_t id, std::size_t& last, const IdOf& id_of) {
  constexpr std::size_t kNear = 4;
  const auto before = [&](std::size_t at) { return id_of(items[at]) < id; };
  const std::size_t end = std::min(last + kNear, items.size());
  std::size_t at = last;
  while (at < end && before(at)) ++at;
  const bool found = (at == items.size() || !before(at)) && (at == 0 || before(at - 1));
  if (!found) {
    const auto less = [&](const auto& item, std::int64_t wanted) { return id_of(item) < wanted; };
    at = static_cast<std::size_t>(std::lower_bound(items.begin(), items.end(), id, less) - items.begin());
  }
  last = at;
  return items.begin() + static_cast<std::ptrdiff_t>(at);
}

}  // namespace

bool is_stretch(std::int64_t begin_ns, std::int64_t end_ns) {
  constexpr std::int64_t kFarthest = INT64_MAX / 4;
  constexpr std::int64_t kLongest = std::int64_t{86400} * 1'000'000'000;
  const auto in_range = [](std::int64_t ns) { return ns > -kFarthest && ns < kFarthest; };
  return in_range(begin_ns) && in_range(end_ns) && begin_ns <= end_ns && end_ns - begin_ns <= kLongest;
}

bool time_of(const TraceEvent& event, When& when) {
  if (event.begin_ns == kAbsent || event.duration_ns == kAbsent) return false;
  when.begin_ns = event.begin_ns;
  when.end_ns = event.begin_ns + event.duration_ns;
  return is_stretch(when.begin_ns, when.end_ns);
}

CallKind kind_of_call(std::string_view name) {
  if (name.find("Synchronize") != std::string_view::npos) return CallKind::kWait;
  return name.find("GraphLaunch") != std::string_view::npos ? CallKind::kReplay : CallKind::kOther;
}

std::size_t TraceBuilder::CallHash::operator()(const CallKey& key) const {
  return hash_of({key.name, key.shapes, key.types, key.values});
}

std::size_t TraceBuilder::NodeHash::operator()(const NodeKey& key) const {
  return hash_of({key.call, key.scope, key.caller});
}

std::uint32_t TraceBuilder::name(std::string_view text) {
  if (const auto at = name_ids_.find(text); at != name_ids_.end()) return at->second;
  const auto id = static_cast<std::uint32_t>(names_.size());
  name_ids_.emplace(names_.emplace_back(text), id);
  return id;
}

std::uint32_t TraceBuilder::thread(std::string_view process, std::string_view thread) {
  if (last_thread_id_ != kNoId && last_thread_.first == process && last_thread_.second == thread) {
    return last_thread_id_;
  }
  last_thread_ = {std::string(process), std::string(thread)};
  const auto next = static_cast<std::uint32_t>(std::min<std::size_t>(thread_ids_.size(), kThreads));
  last_thread_id_ = thread_ids_.try_emplace(last_thread_, next).first->second;
  return last_thread_id_;
}

std::uint32_t TraceBuilder::stream(std::int64_t device, std::int64_t stream) {
  const auto [at, is_new] =
      stream_ids_.try_emplace({device, stream}, static_cast<std::uint32_t>(trace_.streams.size()));
  if (is_new) trace_.streams.push_back({device, stream});
  return at->second;
}

bool TraceBuilder::is_call(std::uint32_t call, std::string_view name, std::string_view shapes, std::string_view types,
                           std::string_view values) const {
  const auto is = [this](std::uint32_t id, std::string_view text) {
    return id == kNoId ? text.empty() : names_[id] == text;
  };
  const CallKey& key = calls_[call];
  return is(key.name, name) && is(key.shapes, shapes) && is(key.types, types) && is(key.values, values);
}

std::uint32_t TraceBuilder::call(std::string_view name, std::string_view shapes, std::string_view types,
                                 std::string_view values) {
  std::uint32_t* const after = last_call_ == kNoId ? nullptr : &call_after_[last_call_];
  if (after != nullptr && *after != kNoId && is_call(*after, name, shapes, types, values)) return last_call_ = *after;
  const auto id = [this](std::string_view text) { return text.empty() ? kNoId : this->name(text); };
  const CallKey key{this->name(name), id(shapes), id(types), id(values)};
  const auto [at, is_new] = call_ids_.try_emplace(key, static_cast<std::uint32_t>(calls_.size()));
  if (after != nullptr) *after = at->second;
  if (is_new) {
    calls_.push_back(key);
    call_after_.push_back(kNoId);
  }
  return last_call_ = at->second;
}

void TraceBuilder::cover(std::int64_t begin_ns, std::int64_t end_ns) {
  Trace& trace = trace_.trace;
  const bool first = ranges_.empty() && launches_.empty() && trace.device.empty();
  trace.begin_ns = first ? begin_ns : std::min(trace.begin_ns, begin_ns);
  trace.end_ns = first ? end_ns : std::max(trace.end_ns, end_ns);
}

void TraceBuilder::add_operator(const When& when, std::uint32_t call, std::int64_t external_id) {
  cover(when.begin_ns, when.end_ns);
  ranges_.push_back({when.begin_ns, when.end_ns, external_id, call, when.thread & kThreads, 1});
}

void TraceBuilder::add_scope(const When& when, std::string_view name, std::string_view type) {
  cover(when.begin_ns, when.end_ns);
  const auto [at, is_new] = scope_kind_ids_.try_emplace({this->name(name), this->name(type)},
                                                        static_cast<std::uint32_t>(scope_kinds_.size()));
  if (is_new) scope_kinds_.push_back(at->first);
  ranges_.push_back({when.begin_ns, when.end_ns, kAbsent, at->second, when.thread & kThreads, 0});
}

void TraceBuilder::add_launch(const When& when, const Links& links, CallKind kind) {
  cover(when.begin_ns, when.end_ns);
  launches_.push_back({when.begin_ns, when.end_ns, links, when.thread, kind});
}

void TraceBuilder::add_device(const DeviceRecord& record, const Links& links) {
  cover(record.begin_ns, record.end_ns);
  trace_.trace.device.push_back(record);
  device_links_.push_back(links);
}

std::uint32_t TraceBuilder::node_of(const NodeKey& key) {
  const auto [at, is_new] = node_ids_.try_emplace(key, static_cast<std::uint32_t>(trace_.nodes.size()));
  if (is_new) {
    const CallKey& what = calls_[key.call];
    trace_.nodes.push_back({what.name, what.shapes, what.types, what.values, key.scope, key.caller, 0, 0, 0});
  }
  return at->second;
}

std::uint32_t TraceBuilder::scope_of(std::uint32_t parent, std::uint32_t what) {
  const auto [at, is_new] = scope_ids_.try_emplace({parent, what}, static_cast<std::uint32_t>(trace_.scopes.size()));
  if (is_new) trace_.scopes.push_back({parent, names_[scope_kinds_[what].first], names_[scope_kinds_[what].second]});
  return at->second;
}

/// Finds what lies in what: every range gets its node, and the operator around it gives the time away.
void TraceBuilder::place(std::size_t at, std::vector<Open>& open) {
  Range& range = ranges_[at];
  while (!open.empty() && ranges_[open.back().range].end_ns <= range.begin_ns) open.pop_back();
  const Open around = open.empty() ? Open{} : open.back();
  range.link = open.empty() ? -1 : static_cast<std::int64_t>(around.range);
  if (range.is_operator == 0) {
    // Ranges that a program forgot to end would lie in one another without end.
    const bool deep = around.depth == kDeepestScope;
    open.push_back({at, deep ? around.scope : scope_of(around.scope, range.what),
                    deep ? around.depth : around.depth + 1, around.operation, around.calls, around.caller});
    return;
  }
  range.what = node_of({range.what, around.scope, around.caller});
  ToolNode& node = trace_.nodes[range.what];
  const std::int64_t time_ns = range.end_ns - range.begin_ns;
  ++node.calls;
  node.total_ns += time_ns;
  node.host_ns += time_ns;
  if (around.operation >= 0) {
    const Range& outer = ranges_[static_cast<std::size_t>(around.operation)];
    trace_.nodes[outer.what].host_ns -= std::min(range.end_ns, outer.end_ns) - range.begin_ns;
  }
  const bool deep = around.calls == kDeepestCall;
  open.push_back({at, around.scope, around.depth, static_cast<std::int64_t>(at), deep ? around.calls : around.calls + 1,
                  deep ? around.caller : range.what});
}

void TraceBuilder::nest() {
  std::vector<Open> open;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    if (i > 0 && ranges_[i].thread != ranges_[i - 1].thread) open.clear();
    place(i, open);
  }
}

void TraceBuilder::index_external_ids() {
  const auto has_id = [](const Range& range) { return range.is_operator == 1 && range.link != kAbsent; };
  by_external_id_.reserve(static_cast<std::size_t>(std::count_if(ranges_.begin(), ranges_.end(), has_id)));
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const Range& range = ranges_[i];
    if (has_id(range)) {
      by_external_id_.emplace_back(range.link, static_cast<std::uint32_t>(i));
    }
  }
  sort_unless_sorted(by_external_id_, std::less<>());
}

/// Ids come again where a file holds several processes: then the last call before the activity is meant.
const TraceBuilder::Launch* TraceBuilder::launch_of(const DeviceRecord& record, const Links& links) {
  if (links.correlation == kAbsent) return nullptr;
  auto at =
      first_with(launches_, links.correlation, last_launch_, [](const Launch& one) { return one.links.correlation; });
  const Launch* best = nullptr;
  for (; at != launches_.end() && at->links.correlation == links.correlation; ++at) {
    const bool same_operator = links.external_id == kAbsent || at->links.external_id == links.external_id;
    if (best == nullptr || (same_operator && at->begin_ns <= record.begin_ns)) best = &*at;
  }
  return best;
}

NodeId TraceBuilder::node_by_id(std::int64_t external_id, std::int64_t at_ns) {
  if (external_id == kAbsent) return kNoId;
  auto at = first_with(by_external_id_, external_id, last_id_, [](const auto& one) { return one.first; });
  NodeId node = kNoId;
  for (; at != by_external_id_.end() && at->first == external_id; ++at) {
    const Range& range = ranges_[at->second];
    if (node == kNoId || range.begin_ns <= at_ns) node = range.what;
  }
  return node;
}

/// The innermost operator around a moment of a thread.
NodeId TraceBuilder::node_around(std::uint32_t thread, std::int64_t at_ns) const {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), std::pair(thread, at_ns),
                                       [](const auto& moment, const Range& range) {
                                         return moment < std::pair(std::uint32_t{range.thread}, range.begin_ns);
                                       });
  if (behind == ranges_.begin()) return kNoId;
  std::int64_t at = std::distance(ranges_.begin(), behind) - 1;
  if (ranges_[static_cast<std::size_t>(at)].thread != thread) return kNoId;
  for (; at >= 0; at = ranges_[static_cast<std::size_t>(at)].link) {
    const Range& range = ranges_[static_cast<std::size_t>(at)];
    if (range.is_operator == 1 && range.end_ns >= at_ns) return range.what;
  }
  return kNoId;
}

NodeId TraceBuilder::node_of_launch(const Launch& launch) {
  const NodeId node = node_by_id(launch.links.external_id, launch.begin_ns);
  return node != kNoId ? node : node_around(launch.thread, launch.begin_ns);
}

void TraceBuilder::link_device() {
  std::int64_t early = 0;
  std::int64_t replayed = 0;
  std::vector<DeviceRecord>& device = trace_.trace.device;
  for (std::size_t i = 0; i < device.size(); ++i) {
    const Links& links = device_links_[i];
    const Launch* launch = launch_of(device[i], links);
    if (launch != nullptr) {
      device[i].launch_ns = launch->begin_ns;
      if (launch->begin_ns > device[i].begin_ns) ++early;
      if (launch->kind == CallKind::kReplay) ++replayed;
    }
    device[i].node = node_by_id(links.external_id, device[i].begin_ns);
    if (device[i].node == kNoId && launch != nullptr) device[i].node = node_of_launch(*launch);
  }
  say_what_is_odd(early, replayed);
}

void TraceBuilder::link_waits() {
  for (const Launch& launch : launches_) {
    if (launch.kind != CallKind::kWait) continue;
    trace_.trace.synchronisations.push_back({launch.begin_ns, launch.end_ns, node_of_launch(launch)});
  }
}

void TraceBuilder::say_what_is_odd(std::int64_t early, std::int64_t replayed) {
  if (early > 0) {
    trace_.notes.push_back(fmt::format(
        "{} activities of the device begin before the call that launched them: the clocks of host and device "
        "do not agree",
        early));
  }
  if (replayed > 0) {
    trace_.notes.push_back(fmt::format(
        "{} activities were replayed from CUDA graphs: they belong to the operator that launched the graph", replayed));
  }
  std::set<std::string> processes;
  for (const auto& [thread, id] : thread_ids_) processes.insert(thread.first);
  if (processes.size() > 1) {
    trace_.notes.push_back(
        fmt::format("the file holds {} processes: activities are given to the last call before them "
                    "with their number",
                    processes.size()));
  }
}

/// Of millions of calls a timeline shows the first. Where there is no device they are all that there is.
void TraceBuilder::keep_calls() {
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    if (ranges_[i].is_operator == 1) kept.push_back(static_cast<std::uint32_t>(i));
  }
  if (!trace_.trace.device.empty() && kept.size() > kMostRecordsKept) {
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(kMostRecordsKept);
    std::nth_element(kept.begin(), end, kept.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(ranges_[a].begin_ns, a) < std::pair(ranges_[b].begin_ns, b);
    });
    trace_.calls_left_out = kept.size() - kMostRecordsKept;
    kept.erase(end, kept.end());
    std::sort(kept.begin(), kept.end());
  }
  trace_.trace.nodes.reserve(kept.size());
  for (const std::uint32_t i : kept) {
    trace_.trace.nodes.push_back({ranges_[i].what, ranges_[i].begin_ns, ranges_[i].end_ns});
  }
}

ToolTrace TraceBuilder::finish() && {
  sort_unless_sorted(ranges_, [](const Range& a, const Range& b) {
    return std::tuple(a.thread, a.begin_ns, -a.end_ns) < std::tuple(b.thread, b.begin_ns, -b.end_ns);
  });
  index_external_ids();
  nest();
  sort_unless_sorted(launches_, [](const Launch& a, const Launch& b) {
    return std::pair(a.links.correlation, a.begin_ns) < std::pair(b.links.correlation, b.begin_ns);
  });
  link_device();
  link_waits();
  keep_calls();
  trace_.trace.names.assign(std::make_move_iterator(names_.begin()), std::make_move_iterator(names_.end()));
  return std::move(trace_);
}

}  // namespace nongemm::traces
