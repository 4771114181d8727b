// What every session does with device records, whatever runtime it drives.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "flows/device/device.h"
#include "record/trace.h"

namespace nongemm::device {

/// Throws Error(kUnsupported) when an inference left no record.
inline void require_records(const Trace& trace) {
  if (!trace.device.empty()) return;
  throw Error(ErrorKind::kUnsupported, "CUPTI gave no record of any kernel",
              "another profiler may hold it, or the driver forbids profiling");
}

/// @param cuda nullptr on a host
inline void stop_tracing(Library* cuda) {
  if (cuda != nullptr && cuda->tracer().enabled()) cuda->tracer().disable();
}

/// As many inferences as there are traces, with the lightest records. Nothing else happens between the first and the
/// last.
/// @param ready called before the clock of inference i starts, as ready(i)
/// @param infer called as infer(i)
template <typename Ready, typename Infer>
void trace_in_a_row(Tracer& tracer, std::span<Trace> traces, Ready&& ready, Infer&& infer) {
  tracer.enable(Tracer::Detail::kDeviceOnly);
  tracer.discard();
  for (std::size_t i = 0; i < traces.size(); ++i) {
    traces[i].nodes.clear();
    const std::int64_t pause_end = now_ns() + Tracer::kSeparationNs;
    ready(i);
    while (now_ns() < pause_end) {  // awake, as between plain runs
    }
    traces[i].begin_ns = now_ns();
    infer(i);
    traces[i].end_ns = now_ns();
  }
  tracer.collect(traces);
}

/// The same with everything recorded.
template <typename Infer>
void trace_device_only(Tracer& tracer, std::span<Trace> traces, Infer&& infer) {
  trace_in_a_row(
      tracer, traces, [](std::size_t) {}, [&](std::size_t) { infer(); });
  for (const Trace& trace : traces) require_records(trace);
}

}  // namespace nongemm::device
