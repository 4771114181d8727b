#include "profile/queue_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace nongemm {
namespace {

std::int64_t whole(double ns) { return static_cast<std::int64_t>(std::llround(ns)); }

/// One inference on its way through the queue. Times are ns from its begin.
class Queue {
 public:
  Queue(const QueuePlan& plan, const Trace& host, const QueueConstants& constants)
      : plan_(plan), host_(host), constants_(constants), ends_(plan.work.size()) {}

  Trace run() {
    trace_.begin_ns = host_.begin_ns;
    trace_.names = plan_.names;
    for (std::uint32_t i = 0; i < host_.nodes.size(); ++i) run_span(i);
    const double last = host_.nodes.empty() ? 0 : time_of(host_.nodes.back().end_ns) + late_;
    const double called = last + constants_.wait_ns;
    trace_.end_ns = host_.begin_ns + whole(std::max(called, done_ + constants_.return_ns));
    return std::move(trace_);
  }

 private:
  double time_of(std::int64_t ns) const { return static_cast<double>(ns - host_.begin_ns); }

  void run_span(std::uint32_t index) {
    const NodeSpan& span = host_.nodes[index];
    const double begin = time_of(span.begin_ns) + late_;
    double end = time_of(span.end_ns) + late_;
    if (next_wait_ < plan_.waits.size() && plan_.waits[next_wait_].span == index) {
      const QueueWait& wait = plan_.waits[next_wait_++];
      launch_until(wait.launched, index, begin, end);
      end = std::max(end, done_ + wait.after_ns);
      late_ = end - time_of(span.end_ns);
    }
    launch_until(plan_.work.size(), index, begin, end);
    trace_.nodes.push_back({span.node, host_.begin_ns + whole(begin), host_.begin_ns + whole(end)});
  }

  /// Launches the span's work before position `limit`.
  void launch_until(std::size_t limit, std::uint32_t span, double begin, double end) {
    for (; next_work_ < limit && plan_.work[next_work_].record.span == span; ++next_work_) {
      const LaunchPlace& launch = plan_.work[next_work_].place;
      double returned = begin + launch.at * (end - begin);
      if (launch.from == LaunchPlace::From::kBegin) returned = begin + launch.at;
      if (launch.from == LaunchPlace::From::kEnd) returned = std::max(begin, end - launch.at);
      place(plan_.work[next_work_], returned);
    }
  }

  void place(const QueuedWork& work, double launched) {
    double start = launched + constants_.start_ns;
    const auto [free, first] = free_.try_emplace(work.record.stream, 0.0);
    if (!first) start = std::max(start, free->second + work.switch_ns);
    if (work.after < next_work_) start = std::max(start, ends_[work.after] + work.switch_ns);
    const double end = start + work.duration_ns;
    free->second = ends_[next_work_] = end;
    done_ = std::max(done_, end);
    DeviceRecord record = work.record;
    record.launch_ns = host_.begin_ns + whole(launched);
    record.begin_ns = host_.begin_ns + whole(start);
    record.end_ns = host_.begin_ns + whole(end);
    trace_.device.push_back(record);
  }

  const QueuePlan& plan_;
  const Trace& host_;
  const QueueConstants& constants_;
  Trace trace_;
  std::unordered_map<std::uint32_t, double> free_;       // by stream, when its last work ends
  std::vector<double> ends_;                             // of work
  double done_ = std::numeric_limits<double>::lowest();  // when all work so far has ended
  double late_ = 0;                                      // the host, by waits that take longer than they did
  std::size_t next_work_ = 0;
  std::size_t next_wait_ = 0;
};

}  // namespace

Trace run_queue(const QueuePlan& plan, const Trace& host, const QueueConstants& constants) {
  return Queue(plan, host, constants).run();
}

}  // namespace nongemm
