#include "analysis/tool_figures.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/busy_time.h"

namespace nongemm {
namespace {

std::int64_t duration(const DeviceRecord& record) { return record.end_ns - record.begin_ns; }
bool is_kernel(const DeviceRecord& record) { return record.kind == DeviceRecord::Kind::kKernel; }

/// The union of activities that come in the order of their begin.
class Union {
 public:
  void add(const DeviceRecord& record) {
    const std::int64_t begin = std::max(record.begin_ns, until_);
    if (record.end_ns <= begin) return;
    busy_ += record.end_ns - begin;
    until_ = record.end_ns;
  }
  std::int64_t busy_ns() const { return busy_; }

 private:
  std::int64_t until_ = INT64_MIN;
  std::int64_t busy_ = 0;
};

class Sums {
 public:
  Sums(const ToolTrace& trace, const ToolRecord& record, const Analysis& analysis)
      : trace_(trace), record_(record), analysis_(analysis) {}

  ToolFigures all() {
    const std::vector<DeviceRecord>& device = trace_.trace.device;
    result_.trace = &trace_;
    const BusyTime busy = busy_time(device);
    result_.busy_ns = busy.busy_ns;
    result_.span_ns = busy.last_ns - busy.first_ns;
    add_operators();
    for (std::size_t i = 0; i < device.size(); ++i) add(device[i], i, busy.gap_before_ns[i]);
    add_streams_and_steps();
    finish_operators();
    finish_kernels();
    for (const auto& [by, time_ns] : grouped_) result_.grouped.push_back({by, time_ns});
    return std::move(result_);
  }

 private:
  std::size_t operator_at(const std::string& name) {
    const auto [at, is_new] = operator_ids_.try_emplace(name, result_.operators.size());
    if (is_new) {
      ToolOperator& op = result_.operators.emplace_back();
      op.name = name;
      op.sum.recorded = !trace_.trace.device.empty();
    }
    return at->second;
  }

  void add_operators() {
    for (const ToolNode& node : trace_.nodes) {
      const std::size_t at = operator_at(trace_.trace.names[node.name]);
      own_groups_[at].insert(analysis_.nodes.at(by_node_.size()).group);  // the record's first nodes are the trace's
      by_node_.push_back(at);
      result_.operators[at].calls += node.calls;
      result_.operators[at].total_ns += node.total_ns;
      result_.operators[at].host_ns += node.host_ns;
    }
  }

  void add(const DeviceRecord& record, std::size_t i, std::int64_t gap_ns) {
    const NodeRow& row = analysis_.nodes.at(record_.node_of[i]);
    const std::size_t at = record.node != kNoId ? by_node_[record.node] : operator_at("(none)");
    ToolOperator& op = result_.operators[at];
    op.sum.add(record);
    result_.sum.add(record);
    if (gap_ns > 0) {
      op.gap_ns += gap_ns;
      ++op.gaps;
      op.longest_gap_ns = std::max(op.longest_gap_ns, gap_ns);
    }
    (is_kernel(record) ? groups_ : copy_groups_)[at].insert(row.group);
    if (!is_kernel(record)) return;
    if (record.node == kNoId) result_.without_operator_ns += duration(record);
    if (counts_as_gemm(row.group, analysis_.attention_is_gemm)) result_.gemm_ns += duration(record);
    grouped_[record_.by[record_.node_of[i]]] += duration(record);
    KernelOf& kernel = kernels_[{record.name, row.group}];
    ++kernel.launches;
    kernel.time_ns += duration(record);
    kernel.by_operator[at] += duration(record);
  }

  void add_streams_and_steps() {
    std::vector<Union> streams(trace_.streams.size());
    std::vector<Union> steps(trace_.steps.size());
    for (const ToolStream& stream : trace_.streams) result_.streams.push_back({stream, {}, 0});
    for (const ToolStep& step : trace_.steps) {
      StepSum& sum = result_.steps.emplace_back();
      sum.name = step.name;
      sum.host_ns = step.end_ns - step.begin_ns;
      sum.sum.recorded = !trace_.trace.device.empty();
    }
    for (const std::uint32_t at : in_order_of_time(trace_.trace.device)) {
      const DeviceRecord& record = trace_.trace.device[at];
      streams[record.stream].add(record);
      result_.streams[record.stream].sum.add(record);
      const std::size_t step = step_of(record);
      if (step == steps.size()) continue;
      steps[step].add(record);
      result_.steps[step].sum.add(record);
    }
    std::set<std::int64_t> devices;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      result_.streams[i].busy_ns = streams[i].busy_ns();
      result_.overlap_ns += streams[i].busy_ns();
      devices.insert(trace_.streams[i].device);
    }
    result_.overlap_ns -= result_.busy_ns;
    result_.devices = static_cast<std::int64_t>(devices.size());
    for (std::size_t i = 0; i < steps.size(); ++i) result_.steps[i].busy_ns = steps[i].busy_ns();
  }

  /// The step in which the host called for it; how many there are where it was outside.
  std::size_t step_of(const DeviceRecord& record) const {
    const std::int64_t called_ns = record.launch_ns != 0 ? record.launch_ns : record.begin_ns;
    const std::vector<ToolStep>& steps = trace_.steps;
    const auto behind = std::upper_bound(steps.begin(), steps.end(), called_ns,
                                         [](std::int64_t ns, const ToolStep& step) { return ns < step.begin_ns; });
    if (behind == steps.begin() || std::prev(behind)->end_ns <= called_ns) return steps.size();
    return static_cast<std::size_t>(std::prev(behind) - steps.begin());
  }

  void finish_operators() {
    for (std::size_t at = 0; at < result_.operators.size(); ++at) {
      const std::set<Group>& groups = groups_.contains(at)        ? groups_[at]
                                      : copy_groups_.contains(at) ? copy_groups_[at]
                                                                  : own_groups_[at];
      if (groups.size() == 1) result_.operators[at].group = *groups.begin();
    }
    names_.reserve(result_.operators.size());
    for (const ToolOperator& op : result_.operators) names_.push_back(op.name);
    std::stable_sort(result_.operators.begin(), result_.operators.end(), [](const auto& a, const auto& b) {
      return std::pair(a.sum.kernel_ns + a.sum.copy_ns, a.host_ns) >
             std::pair(b.sum.kernel_ns + b.sum.copy_ns, b.host_ns);
    });
  }

  void finish_kernels() {
    for (const auto& [key, kernel] : kernels_) {
      const auto longest = std::max_element(kernel.by_operator.begin(), kernel.by_operator.end(),
                                            [](const auto& a, const auto& b) { return a.second < b.second; });
      result_.kernels.push_back(
          {trace_.trace.names[key.first], names_[longest->first], key.second, kernel.launches, kernel.time_ns});
    }
    std::stable_sort(result_.kernels.begin(), result_.kernels.end(),
                     [](const ToolKernel& a, const ToolKernel& b) { return a.time_ns > b.time_ns; });
  }

  struct KernelOf {
    std::int64_t launches = 0;
    std::int64_t time_ns = 0;
    std::map<std::size_t, std::int64_t> by_operator;
  };

  const ToolTrace& trace_;
  const ToolRecord& record_;
  const Analysis& analysis_;
  ToolFigures result_;
  std::map<std::string, std::size_t> operator_ids_;
  std::vector<std::size_t> by_node_;
  std::vector<std::string> names_;
  std::map<std::size_t, std::set<Group>> groups_;  // of kernels, by operator
  std::map<std::size_t, std::set<Group>> copy_groups_;
  std::map<std::size_t, std::set<Group>> own_groups_;
  std::map<std::pair<std::uint32_t, Group>, KernelOf> kernels_;
  std::map<GroupedBy, std::int64_t> grouped_;
};

}  // namespace

void ActivitySum::add(const DeviceRecord& record) {
  const bool fill = record.kind == DeviceRecord::Kind::kMemset;
  ++(is_kernel(record) ? kernels : fill ? fills : copies);
  (is_kernel(record) ? kernel_ns : fill ? fill_ns : copy_ns) += duration(record);
}

ToolFigures tool_figures(const ToolTrace& trace, const ToolRecord& record, const Analysis& analysis) {
  return Sums(trace, record, analysis).all();
}

}  // namespace nongemm
