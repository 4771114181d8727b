#include "analysis/collectives.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>
#include <utility>

#include "analysis/busy_time.h"

namespace nongemm {
namespace {

using Key = std::pair<std::string, std::string>;  // name and group

/// "allreduce" of "ncclDevKernel_AllReduce_Sum_f16_RING_LL(...)"; empty for other kernels.
std::string named_by_kernel(std::string_view kernel) {
  if (!kernel.starts_with("nccl")) return {};
  const std::size_t bar = kernel.find('_');
  if (bar == std::string_view::npos) return {};
  std::string name;
  for (const char c : kernel.substr(bar + 1)) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

/// Stretches of time that do not touch, ascending.
class Stretches {
 public:
  /// In the order of their begin.
  void add(std::int64_t begin_ns, std::int64_t end_ns) {
    if (!all_.empty() && begin_ns <= all_.back().second) {
      all_.back().second = std::max(all_.back().second, end_ns);
    } else {
      all_.emplace_back(begin_ns, end_ns);
    }
  }
  std::int64_t within(std::int64_t begin_ns, std::int64_t end_ns) const {
    std::int64_t sum = 0;
    auto at = std::partition_point(all_.begin(), all_.end(), [&](const auto& one) { return one.second <= begin_ns; });
    for (; at != all_.end() && at->first < end_ns; ++at) {
      sum += std::min(end_ns, at->second) - std::max(begin_ns, at->first);
    }
    return sum;
  }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> all_;
};

}  // namespace

std::vector<CollectiveCall> collective_calls(const ToolTrace& trace) {
  const std::vector<DeviceRecord>& device = trace.trace.device;
  const std::vector<std::string>& names = trace.trace.names;
  std::vector<std::string> by_kernel(names.size());
  std::transform(names.begin(), names.end(), by_kernel.begin(), named_by_kernel);
  std::map<std::uint32_t, const ToolCollective*> told;
  for (const ToolCollective& collective : trace.collectives) told[collective.record] = &collective;
  std::vector<CollectiveCall> calls;
  std::map<std::int64_t, Stretches> others;  // by device
  for (const std::uint32_t at : in_order_of_time(device)) {
    const DeviceRecord& record = device[at];
    const auto own = told.empty() ? told.end() : told.find(at);
    const bool is_named = record.name != kNoId && !by_kernel[record.name].empty();
    if (own == told.end() && !is_named) {
      others[trace.streams[record.stream].device].add(record.begin_ns, record.end_ns);
      continue;
    }
    CollectiveCall& call = calls.emplace_back();
    call.record = at;
    call.name = own != told.end() ? own->second->name : by_kernel[record.name];
    if (own != told.end()) call.group = own->second->group;
    call.time_ns = record.end_ns - record.begin_ns;
  }
  for (CollectiveCall& call : calls) {
    const DeviceRecord& record = device[call.record];
    call.hidden_ns = others[trace.streams[record.stream].device].within(record.begin_ns, record.end_ns);
  }
  return calls;
}

std::vector<std::vector<CollectiveSum>> collective_sums(const std::vector<std::vector<CollectiveCall>>& ranks) {
  // By kind of call and rank, the times in order: the n-th of one rank is the n-th of another.
  std::map<Key, std::vector<std::vector<std::int64_t>>> times;
  std::vector<std::map<Key, CollectiveSum>> sums(ranks.size());
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    for (const CollectiveCall& call : ranks[rank]) {
      const Key key{call.name, call.group};
      auto& of_ranks = times[key];
      of_ranks.resize(ranks.size());
      of_ranks[rank].push_back(call.time_ns);
      CollectiveSum& sum = sums[rank][key];
      sum.name = call.name;
      sum.group = call.group;
      ++sum.calls;
      sum.time_ns += call.time_ns;
      sum.hidden_ns += call.hidden_ns;
    }
  }
  for (const auto& [key, of_ranks] : times) {
    const std::size_t calls = of_ranks.front().size();
    const bool same =
        std::all_of(of_ranks.begin(), of_ranks.end(), [&](const auto& one) { return one.size() == calls; });
    if (!same || ranks.size() < 2) continue;
    std::int64_t least = 0;
    for (std::size_t i = 0; i < calls; ++i) {
      const auto fastest =
          std::min_element(of_ranks.begin(), of_ranks.end(), [&](const auto& a, const auto& b) { return a[i] < b[i]; });
      least += (*fastest)[i];
    }
    for (auto& rank : sums) rank.at(key).waited_ns = rank.at(key).time_ns - least;
  }
  std::vector<std::vector<CollectiveSum>> result;
  for (auto& rank : sums) {
    std::vector<CollectiveSum>& rows = result.emplace_back();
    for (auto& [key, sum] : rank) rows.push_back(std::move(sum));
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.time_ns > b.time_ns; });
  }
  return result;
}

}  // namespace nongemm
