// The device's side of an inference that nothing recorded, from the host's side alone: a kernel begins when its launch
// has reached the device and the one before it on its stream has ended. Durations and the order of launches come from
// recorded inferences, times of the host from spans, and what is left are a few constants of the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// Constants of the device, ns (QueueTimes in record/limits.h says what they are), the same for every model.
struct QueueConstants {
  double start_ns = 0;
  double return_ns = 0;
  double wait_ns = 0;
};

/// When in its span a call that launches returns.
struct LaunchPlace {
  enum class From : std::uint8_t {
    kShare,  // `at` is a share of the span: a slower host is slower all through it
    kBegin,  // ns from its begin; for spans whose length waits decide
    kEnd,    // ns before its end; likewise
  };
  From from = From::kShare;
  double at = 0;
};

/// One kernel, copy or fill of an inference.
struct QueuedWork {
  /// What every inference has of it alike: node, span, stream, name, kind and bytes. Times mean nothing.
  DeviceRecord record;
  double duration_ns = 0;
  /// From the end of what is before it on its stream until it begins, when it stood in the queue.
  double switch_ns = 0;
  LaunchPlace place;
  /// Position of work on another stream that has to end before it begins; kNoWork when there is none.
  std::size_t after = kNoWork;

  static constexpr std::size_t kNoWork = std::numeric_limits<std::size_t>::max();
};

/// A span in which the host waits until all that was launched before has ended.
struct QueueWait {
  std::uint32_t span = 0;
  /// How many of QueuePlan::work are launched before.
  std::size_t launched = 0;
  /// From the end of that work to the end of the span.
  double after_ns = 0;
};

/// What is the same in every inference of a model.
struct QueuePlan {
  std::vector<QueuedWork> work;  // in the order of launching
  std::vector<QueueWait> waits;  // in the order of running, one a span
  std::vector<std::string> names;
};

/// Puts the device's times into an inference of which only host spans are known. Spans are as long as they were, but
/// for those in which the host waits for work that has not ended then, by the model: these end when it says, and what
/// comes after them is later by as much.
/// @param host its begin and its spans, as many as the plan's work was launched from
/// @return the inference with records, in the order of launching; it ends when a wait for the device returns
Trace run_queue(const QueuePlan& plan, const Trace& host, const QueueConstants& constants);

}  // namespace nongemm
