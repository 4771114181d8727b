// A host and a device that do not exist, for tests: operators of random length launch kernels of random length,
// recording makes what it makes longer, and what the device did is known also of inferences that nothing recorded.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "profile/queue_model.h"
#include "record/limits.h"
#include "record/trace.h"

namespace nongemm {

class MadeUpDevice {
 public:
  MadeUpDevice(std::uint32_t operators, unsigned seed) : random_(seed) {
    for (std::uint32_t i = 0; i < operators; ++i) {
      Operator& made = operators_.emplace_back();
      made.before_ns = 4000 + draw(8000);
      made.after_ns = 500 + draw(1500);
      for (double k = draw(3); k >= 1; --k) made.kernels_ns.push_back(1000 + draw(i % 10 == 3 ? 40'000 : 4000));
    }
    operators_[0].kernels_ns = {2000};
  }

  std::size_t operators() const { return operators_.size(); }
  static QueueTimes times() {
    return {.start_ns = 2200,
            .switch_ns = 900,
            .return_ns = 2500,
            .wait_ns = 1500,
            .recorded_start_ns = 2000,
            .recorded_switch_ns = 1000,
            .recording_ns = 1700};
  }

  /// With device records that nobody could have taken.
  Trace plain() { return run(kCall, times().start_ns, times().switch_ns, 0); }
  Trace recorded() {
    Trace trace = run(kCall + times().recording_ns, times().recorded_start_ns, times().recorded_switch_ns, 0);
    for (DeviceRecord& record : trace.device) {
      record.node = record.span = kNoId;
      record.launch_ns = record.launched_ns = 0;
    }
    trace.calls.clear();
    return trace;
  }
  /// Every call of the runtime costs kRecordedCall more.
  Trace attributed() {
    return run(kCall + kRecordedCall, times().recorded_start_ns, times().recorded_switch_ns, kRecordedCall);
  }

  /// The host's pace: 2 takes it twice as long for everything but launches.
  double pace = 1;
  /// Of one operator, before it launches.
  std::uint32_t delayed = kNoId;
  double host_delay_ns = 0;
  double device_delay_ns = 0;

 private:
  static constexpr double kCall = 4000;
  static constexpr double kRecordedCall = 1000;
  static constexpr int kOtherCalls = 5;  // before each launch, a moment each when they are not recorded

  struct Operator {
    double before_ns = 0;
    double after_ns = 0;
    std::vector<double> kernels_ns;
  };

  double draw(double most) { return std::uniform_real_distribution<double>(0, most)(random_); }

  Trace run(double call_ns, double start_ns, double switch_ns, double other_call_ns) {
    Trace trace;
    trace.begin_ns = clock_;
    double now = static_cast<double>(clock_);
    double free = 0;
    for (std::uint32_t i = 0; i < operators_.size(); ++i) {
      const Operator& made = operators_[i];
      const double begin = now;
      now += pace * made.before_ns + (i == delayed ? host_delay_ns : 0);
      for (std::size_t k = 0; k < made.kernels_ns.size(); ++k) {
        for (int call = 0; call < kOtherCalls && other_call_ns > 0; ++call) {
          trace.calls.push_back({whole(now), whole(now + 10), i});
          now += other_call_ns;
        }
        const double launch = now;
        now += call_ns;
        trace.calls.push_back({whole(launch), whole(now), i});
        const double from = std::max(now + start_ns, free + switch_ns);
        free = from + made.kernels_ns[k] + (i == delayed ? device_delay_ns : 0);
        add_record(trace, i, k, launch, now, from, free);
        now += pace * made.after_ns;
      }
      trace.nodes.push_back({i, whole(begin), whole(now)});
    }
    trace.end_ns = whole(std::max(now + times().wait_ns, free + times().return_ns));
    clock_ = trace.end_ns + 100'000;
    return trace;
  }

  static void add_record(Trace& trace, std::uint32_t node, std::size_t kernel, double launch, double launched,
                         double begin, double end) {
    DeviceRecord record;
    record.node = record.span = node;
    record.stream = 7;
    record.name = static_cast<std::uint32_t>(trace.names.size());
    trace.names.push_back("kernel " + std::to_string(node) + " " + std::to_string(kernel));
    record.launch_ns = whole(launch);
    record.launched_ns = whole(launched);
    record.begin_ns = whole(begin);
    record.end_ns = whole(end);
    trace.device.push_back(record);
  }

  static std::int64_t whole(double ns) { return std::llround(ns); }

  std::mt19937 random_;
  std::vector<Operator> operators_;
  std::int64_t clock_ = 1'000'000'000;
};

}  // namespace nongemm
