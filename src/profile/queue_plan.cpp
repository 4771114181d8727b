#include "profile/queue_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/statistics.h"

namespace nongemm {
namespace {

/// A position is known from records when this share of them tells, and at least kLeastSamples.
constexpr double kLeastShare = 0.25;
constexpr std::size_t kLeastSamples = 2;
/// Gaps of queued work are below so many switch times, gaps of work that is waited for above.
constexpr double kLongestSwitch = 3.5;
constexpr double kShortestWait = 3.0;
/// Gaps of work whose launch is not known to have come before are switches below so many switch times.
constexpr double kSurelySwitch = 1.5;
/// A launch cannot have come so much before its work began on an idle device: something else was waited for.
constexpr double kLatestStart = 15'000;
/// A span that ends so much later than the device has not waited for it alone: its end says nothing of the device.
constexpr double kHostLater = 20'000;
/// Launches beyond the end of their span by the device's clock.
constexpr double kMostShare = 1.3;
/// Spans that are shorter without what recording adds are taken as they are.
constexpr double kLeastSpan = 500;

double duration(const DeviceRecord& record) { return static_cast<double>(record.end_ns - record.begin_ns); }

/// The mean of the middle half: what happens now and then counts as often as it does, what disturbs does not.
double middle_mean(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto cut = static_cast<std::ptrdiff_t>(values.size() / 4);
  return mean(std::vector<double>(values.begin() + cut, values.end() - cut));
}

/// From recorded inferences to a plan, by position.
class Planner {
 public:
  Planner(std::span<const Trace> attributed, const std::vector<Trace>& recorded, std::span<const std::size_t> from,
          const QueueTimes& times)
      : attributed_(attributed), order_(attributed.front()), times_(times) {
    for (const std::size_t i : from) recorded_.push_back(&recorded[i]);
    count_ = order_.device.size();
    index_.resize(count_);
    launches_.resize(order_.nodes.size());
    for (std::size_t i = 0; i < count_; ++i) index_[i] = launches_[order_.device[i].span]++;
    find_call_cost();
  }

  QueuePlan plan(QueueCondition condition) {
    QueuePlan plan;
    plan.names = order_.names;
    find_waits(plan);
    attributed_places(plan);
    recorded_places();
    for (std::size_t i = 0; i < count_; ++i) {
      QueuedWork& work = plan.work.emplace_back();
      work.record = order_.device[i];
      work.duration_ns = middle_mean(samples(i, [](const Trace& t, std::size_t k) { return duration(t.device[k]); }));
      work.place = places_[i];
      work.switch_ns = switches_[i];
      work.after = earlier_on_another_stream(i);
      if (condition == QueueCondition::kPlain) make_plain(i, work);
    }
    for (QueueWait& wait : plan.waits) {
      if (condition == QueueCondition::kPlain) make_plain(wait);
    }
    return plan;
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  template <typename Figure>
  std::vector<double> samples(std::size_t i, Figure&& figure) const {
    std::vector<double> values;
    for (const Trace* trace : recorded_) values.push_back(figure(*trace, i));
    return values;
  }

  static double length_of(const Trace& trace, std::uint32_t span) {
    return static_cast<double>(trace.nodes[span].end_ns - trace.nodes[span].begin_ns);
  }

  /// What recording a call of the runtime adds to it in the attribution pass.
  void find_call_cost() {
    std::vector<double> costs;
    std::vector<double> spans_ns;
    for (const Trace* trace : recorded_) spans_ns.push_back(all_spans(*trace));
    for (const Trace& trace : attributed_) {
      std::size_t calls = 0;
      for (const HostCall& call : trace.calls) calls += call.span != kNoId ? 1 : 0;
      if (calls > 0) costs.push_back((all_spans(trace) - median(spans_ns)) / static_cast<double>(calls));
    }
    call_cost_ = costs.empty() ? 0.0 : std::max(0.0, median(costs));
  }

  static double all_spans(const Trace& trace) {
    double sum = 0;
    for (std::uint32_t i = 0; i < trace.nodes.size(); ++i) sum += length_of(trace, i);
    return sum;
  }

  /// Host time of an attributed inference between two moments of a span without what recording its calls took.
  double own_time(const Trace& trace, std::uint32_t span, std::int64_t from, std::int64_t to) const {
    const auto first = std::lower_bound(trace.calls.begin(), trace.calls.end(), from,
                                        [](const HostCall& call, std::int64_t ns) { return call.begin_ns < ns; });
    double calls = 0;
    for (auto call = first; call != trace.calls.end() && call->begin_ns < to; ++call) calls += call->span == span;
    return std::max(0.0, static_cast<double>(to - from) - call_cost_ * calls);
  }

  /// The span that a moment of the host lies in; kNoId between spans.
  static std::uint32_t span_at(const Trace& trace, std::int64_t ns) {
    const auto after = std::upper_bound(trace.nodes.begin(), trace.nodes.end(), ns,
                                        [](std::int64_t at, const NodeSpan& span) { return at < span.begin_ns; });
    if (after == trace.nodes.begin() || ns >= (after - 1)->end_ns) return kNoId;
    return static_cast<std::uint32_t>(after - trace.nodes.begin() - 1);
  }

  /// Spans in which the host waits for the device, as the first attributed inference has them.
  void find_waits(QueuePlan& plan) {
    std::map<std::uint32_t, QueueWait> found;
    for (const SynchronisationRecord& wait : order_.synchronisations) {
      const std::uint32_t span = span_at(order_, wait.begin_ns);
      if (span == kNoId) continue;  // for the end of the inference
      const auto before = [&](const DeviceRecord& record) { return record.launch_ns < wait.begin_ns; };
      const auto after = std::partition_point(order_.device.begin(), order_.device.end(), before);
      const auto launched = static_cast<std::size_t>(after - order_.device.begin());
      if (launched > 0 && launched >= found[span].launched) found[span] = {span, launched, 0};
    }
    wait_of_.assign(order_.nodes.size(), kNone);
    for (auto& [span, wait] : found) {
      wait.after_ns = after_work(wait);
      if (wait.launched == 0 || wait.after_ns > kHostLater) continue;
      wait_of_[span] = plan.waits.size();
      plan.waits.push_back(wait);
    }
  }

  double after_work(const QueueWait& wait) const {
    std::vector<double> found;
    for (const Trace* trace : recorded_) {
      std::int64_t done = trace->begin_ns;
      for (std::size_t i = 0; i < wait.launched; ++i) done = std::max(done, trace->device[i].end_ns);
      found.push_back(static_cast<double>(trace->nodes[wait.span].end_ns - done));
    }
    return median(found);
  }

  bool in_wait(std::size_t i) const { return wait_of_[order_.device[i].span] != kNone; }

  /// By the attribution pass: where the call returned.
  void attributed_places(const QueuePlan& plan) {
    places_.resize(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint32_t span = order_.device[i].span;
      const bool waited = in_wait(i) && i >= plan.waits[wait_of_[span]].launched;
      std::vector<double> found;
      for (const Trace& trace : attributed_) {
        const NodeSpan& host = trace.nodes[span];
        const std::int64_t returned = returned_of(trace.device[i]);
        if (!in_wait(i)) {
          found.push_back(share_of(trace, i, host.begin_ns, host.end_ns));
        } else {
          found.push_back(waited ? own_time(trace, span, returned, host.end_ns)
                                 : own_time(trace, span, host.begin_ns, returned));
        }
      }
      places_[i].at = in_wait(i) ? median(found) : std::clamp(median(found), 0.0, 1.0);
      if (in_wait(i)) places_[i].from = waited ? LaunchPlace::From::kEnd : LaunchPlace::From::kBegin;
    }
  }

  static std::int64_t returned_of(const DeviceRecord& record) {
    return record.launched_ns != 0 ? record.launched_ns : record.launch_ns;
  }

  double share_of(const Trace& trace, std::size_t i, std::int64_t from, std::int64_t to) const {
    const DeviceRecord& record = trace.device[i];
    const double length = own_time(trace, record.span, from, to);
    return length > 0 ? own_time(trace, record.span, from, returned_of(record)) / length : 1.0;
  }

  /// By inferences in which the device waited for a launch: then the work's begin tells when. Those in which it stood
  /// in the queue tell the switch.
  void recorded_places() {
    switches_.assign(count_, times_.recorded_switch_ns);
    std::map<std::tuple<std::uint32_t, std::size_t, std::size_t>, std::vector<double>> families;
    const std::vector<std::vector<double>> ends = earlier_ends();
    std::vector<Seen> seen;
    for (std::size_t i = 0; i < count_; ++i) {
      const double expected = places_[i].at;
      seen.push_back(look(i, ends));
      if (place_by(seen.back(), i) && !in_wait(i)) families[family(i)].push_back(places_[i].at - expected);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const bool known = tells(seen[i].shares);
      if (!known && !in_wait(i)) {
        // The same kernel elsewhere in the model, launched in the same place of a call, is off by as much. No launch
        // comes later than its work.
        const auto kin = families.find(family(i));
        const double shift = kin == families.end() ? 0.0 : median(kin->second);
        places_[i].at = std::clamp(std::min(places_[i].at + shift, median(seen[i].latest)), 0.0, kMostShare);
      }
      const std::vector<double>& gaps = tells(seen[i].queued) || known ? seen[i].queued : seen[i].small;
      if (tells(gaps)) switches_[i] = std::max(0.0, mean(gaps));
    }
  }

  std::tuple<std::uint32_t, std::size_t, std::size_t> family(std::size_t i) const {
    return {order_.device[i].name, index_[i], launches_[order_.device[i].span]};
  }

  /// By recorded inference and position, when all that was launched before on its stream had ended, in ns from the
  /// begin; the lowest number for the first.
  std::vector<std::vector<double>> earlier_ends() const {
    std::vector<std::vector<double>> all;
    for (const Trace* trace : recorded_) {
      std::map<std::uint32_t, double> until;
      std::vector<double>& ends = all.emplace_back();
      for (const DeviceRecord& record : trace->device) {
        const auto [at, first] = until.try_emplace(record.stream, std::numeric_limits<double>::lowest());
        ends.push_back(at->second);
        at->second = std::max(at->second, static_cast<double>(record.end_ns - trace->begin_ns));
      }
    }
    return all;
  }

  /// When the position's call returns in a recorded inference, by what is known so far, ns from its begin.
  double returns(const Trace& trace, std::size_t i) const {
    const std::uint32_t span = order_.device[i].span;
    const double begin = static_cast<double>(trace.nodes[span].begin_ns - trace.begin_ns);
    switch (places_[i].from) {
      case LaunchPlace::From::kShare:
        return begin + places_[i].at * length_of(trace, span);
      case LaunchPlace::From::kBegin:
        return begin + places_[i].at;
      case LaunchPlace::From::kEnd:
        break;
    }
    return begin + length_of(trace, span) - places_[i].at;
  }

  /// What recorded inferences have of a position.
  struct Seen {
    std::vector<double> shares;   // where its call returned in the span, of those in which the device waited for it
    std::vector<double> befores;  // the same in ns before the span's end
    std::vector<double> latest;   // where it returned at the latest, as a share, of all
    std::vector<double> queued;   // gaps, of those in which it stood in the queue
    std::vector<double> small;    // gaps in which no launch can have been waited for
  };

  Seen look(std::size_t i, const std::vector<std::vector<double>>& ends) const {
    Seen seen;
    const std::uint32_t span = order_.device[i].span;
    for (std::size_t t = 0; t < recorded_.size(); ++t) {
      const Trace& trace = *recorded_[t];
      const double begin = static_cast<double>(trace.device[i].begin_ns - trace.begin_ns);
      const double returned = begin - times_.recorded_start_ns;
      const double span_begin = static_cast<double>(trace.nodes[span].begin_ns - trace.begin_ns);
      const double length = std::max(1.0, length_of(trace, span));
      seen.latest.push_back((returned - span_begin) / length);
      const double arrives = returns(trace, i) + times_.recorded_start_ns;
      const double gap = begin - ends[t][i];
      if (gap > kShortestWait * times_.recorded_switch_ns && arrives > ends[t][i] - kLatestStart) {
        seen.shares.push_back(seen.latest.back());
        seen.befores.push_back(span_begin + length - returned);
      }
      if (gap < kSurelySwitch * times_.recorded_switch_ns) seen.small.push_back(gap);
      const bool queued = arrives < ends[t][i] - kShortestWait * times_.recorded_switch_ns;
      if (queued && gap < kLongestSwitch * times_.recorded_switch_ns) seen.queued.push_back(gap);
    }
    return seen;
  }

  /// Enough inferences of a kind to go by.
  bool tells(const std::vector<double>& samples) const {
    const auto enough = static_cast<std::size_t>(kLeastShare * static_cast<double>(recorded_.size()));
    return samples.size() >= std::max(kLeastSamples, enough);
  }

  bool place_by(const Seen& seen, std::size_t i) {
    if (!tells(seen.shares)) return false;
    if (in_wait(i)) {
      places_[i] = {LaunchPlace::From::kEnd, median(seen.befores)};
    } else {
      places_[i].at = std::clamp(median(seen.shares), 0.0, kMostShare);
    }
    return true;
  }

  /// What was launched last on another stream, when it had always ended before: an event may stand between them.
  std::size_t earlier_on_another_stream(std::size_t i) const {
    std::size_t other = i;
    while (other-- > 0 && order_.device[other].stream == order_.device[i].stream) {
    }
    if (other >= i) return QueuedWork::kNoWork;
    const auto ended = [&](const Trace& trace) { return trace.device[other].end_ns <= trace.device[i].begin_ns; };
    const bool always = std::all_of(recorded_.begin(), recorded_.end(), [&](const Trace* t) { return ended(*t); });
    return always && std::all_of(attributed_.begin(), attributed_.end(), ended) ? other : QueuedWork::kNoWork;
  }

  /// Takes off what recording adds to calls that launch, and to switches.
  void make_plain(std::size_t i, QueuedWork& work) const {
    work.switch_ns = std::max(0.0, work.switch_ns - (times_.recorded_switch_ns - times_.switch_ns));
    const std::uint32_t span = work.record.span;
    const double before = times_.recording_ns * static_cast<double>(index_[i] + 1);
    const double all = times_.recording_ns * static_cast<double>(launches_[span]);
    switch (work.place.from) {
      case LaunchPlace::From::kShare: {
        const double length = median(samples(i, [&](const Trace& t, std::size_t) { return length_of(t, span); }));
        const double offset = work.place.at * length - before;
        if (offset > 0 && length - all > kLeastSpan) work.place.at = offset / (length - all);
        break;
      }
      case LaunchPlace::From::kBegin:
        work.place.at = std::max(0.0, work.place.at - before);
        break;
      case LaunchPlace::From::kEnd:
        work.place.at -= all - before;
        break;
    }
  }

  /// The same of what comes after a wait.
  void make_plain(QueueWait& wait) const {
    for (std::size_t i = wait.launched; i < count_ && order_.device[i].span == wait.span; ++i) {
      wait.after_ns -= times_.recording_ns;
    }
  }

  std::span<const Trace> attributed_;
  const Trace& order_;
  std::vector<const Trace*> recorded_;
  QueueTimes times_;
  std::size_t count_ = 0;
  std::vector<std::size_t> index_;     // of work among what its span launches
  std::vector<std::size_t> launches_;  // by span
  double call_cost_ = 0;
  std::vector<std::size_t> wait_of_;  // by span, its place in the plan
  std::vector<LaunchPlace> places_;
  std::vector<double> switches_;
};

}  // namespace

QueuePlan plan_queue(const QueueSources& sources, std::span<const std::size_t> from, const QueueTimes& times,
                     QueueCondition condition) {
  return Planner(sources.attributed(), sources.recorded(), from, times).plan(condition);
}

QueueConstants constants_of(const QueueTimes& times, QueueCondition condition) {
  const bool recorded = condition == QueueCondition::kRecorded;
  return {recorded ? times.recorded_start_ns : times.start_ns, times.return_ns, times.wait_ns};
}

}  // namespace nongemm
