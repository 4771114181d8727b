#include "flows/cuda/tracer.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "flows/cuda/cupti.h"

namespace nongemm::cuda {
namespace {

constexpr CUpti_ActivityKind kDeviceKinds[] = {
    CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
    CUPTI_ACTIVITY_KIND_MEMCPY,
    CUPTI_ACTIVITY_KIND_MEMSET,
};
/// External ids reach kernels through the records of the calls that launch them.
constexpr CUpti_ActivityKind kAttributionKinds[] = {
    CUPTI_ACTIVITY_KIND_RUNTIME,
    CUPTI_ACTIVITY_KIND_DRIVER,
    CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
    CUPTI_ACTIVITY_KIND_SYNCHRONIZATION,
};

RecordStore& process_store() {
  static auto* store = new RecordStore;
  return *store;
}

void CUPTIAPI lend_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  process_store().lend(buffer, size);
  *most_records = 0;  // as many as fit
}

void CUPTIAPI take_buffer_back(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t,
                               std::size_t valid_bytes) {
  process_store().take_back(context, stream, buffer, valid_bytes);
}

/// What has to be added to CUPTI's times (CLOCK_REALTIME on Linux) to get CLOCK_MONOTONIC. The reading between the two
/// closest others counts: it was not interrupted.
std::int64_t clock_offset() {
  std::int64_t offset = 0;
  std::int64_t narrowest = INT64_MAX;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t theirs = 0;
    const std::int64_t before = now_ns();
    check(cupti().timestamp(&theirs), "cuptiGetTimestamp");
    const std::int64_t after = now_ns();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = before + (after - before) / 2 - static_cast<std::int64_t>(theirs);
  }
  return offset;
}

/// The span of the call with this correlation id; `launches` is sorted.
std::uint32_t span_of(const std::vector<Launch>& launches, std::uint32_t correlation) {
  const auto launch = std::lower_bound(launches.begin(), launches.end(), correlation,
                                       [](const Launch& entry, std::uint32_t id) { return entry.correlation < id; });
  return launch != launches.end() && launch->correlation == correlation ? launch->span : kNoId;
}

/// The outermost call with this correlation id, nullptr when it was not recorded; `calls` is sorted by id and begin.
const ApiCall* call_of(const std::vector<ApiCall>& calls, std::uint32_t correlation) {
  const auto call = std::lower_bound(calls.begin(), calls.end(), correlation,
                                     [](const ApiCall& entry, std::uint32_t id) { return entry.correlation < id; });
  return call != calls.end() && call->correlation == correlation ? &*call : nullptr;
}

}  // namespace

CuptiTracer& process_tracer() {
  static auto* tracer = new CuptiTracer(process_store());
  return *tracer;
}

void CuptiTracer::attach() {
  if (attached_) return;
  // The store lends buffers of zeros: CUPTI would otherwise clear megabytes in the middle of an inference.
  std::uint8_t zeroed = 1;
  std::size_t size = sizeof zeroed;
  check(cupti().set_attribute(CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER, &size, &zeroed),
        "cuptiActivitySetAttribute");
  check(cupti().register_callbacks(lend_buffer, take_buffer_back), "cuptiActivityRegisterCallbacks");
  attached_ = true;
}

void CuptiTracer::enable(Detail detail) {
  if (enabled_ && detail == detail_) return resume();
  disable();
  attach();
  enabled_ = true;
  detail_ = detail;
  try {
    for (const CUpti_ActivityKind kind : kDeviceKinds) check(cupti().enable(kind), "cuptiActivityEnable");
    if (detail == Detail::kAttribution) {
      for (const CUpti_ActivityKind kind : kAttributionKinds) check(cupti().enable(kind), "cuptiActivityEnable");
    }
  } catch (...) {
    disable();
    throw;
  }
}

void CuptiTracer::disable() noexcept {
  if (!enabled_) return;
  enabled_ = false;
  paused_ = false;
  for (const CUpti_ActivityKind kind : kAttributionKinds) {
    if (detail_ == Detail::kAttribution) cupti().disable(kind);
  }
  for (const CUpti_ActivityKind kind : kDeviceKinds) cupti().disable(kind);
  cupti().flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  store_.swap(raw_);
  raw_.clear();
}

void CuptiTracer::pause() noexcept {
  if (!enabled_ || detail_ != Detail::kDeviceOnly) return;
  for (const CUpti_ActivityKind kind : kDeviceKinds) cupti().disable(kind);
  paused_ = true;
}

void CuptiTracer::resume() {
  if (!paused_) return;
  try {
    for (const CUpti_ActivityKind kind : kDeviceKinds) check(cupti().enable(kind), "cuptiActivityEnable");
  } catch (...) {
    pause();
    throw;
  }
  paused_ = false;
}

void CuptiTracer::detach() noexcept {
  disable();
  if (attached_ && cupti().finalize() == CUPTI_SUCCESS) attached_ = false;
}

void CuptiTracer::push(std::uint32_t span) {
  // 0 is kept free: some CUPTI versions take it for none.
  check(cupti().push_external(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, std::uint64_t{span} + 1),
        "cuptiActivityPushExternalCorrelationId");
}

void CuptiTracer::pop() noexcept {
  std::uint64_t last = 0;
  cupti().pop_external(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last);
}

void CuptiTracer::pop_all() noexcept {
  std::uint64_t last = 0;
  while (cupti().pop_external(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last) == CUPTI_SUCCESS) {
  }
}

void CuptiTracer::flush() { check(cupti().flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "cuptiActivityFlushAll"); }

void CuptiTracer::discard() {
  flush();
  store_.swap(raw_);
  raw_.clear();
}

void CuptiTracer::sort_records() {
  std::sort(raw_.launches.begin(), raw_.launches.end(),
            [](const Launch& a, const Launch& b) { return a.correlation < b.correlation; });
  std::sort(raw_.calls.begin(), raw_.calls.end(), [](const ApiCall& a, const ApiCall& b) {
    return a.correlation != b.correlation ? a.correlation < b.correlation : a.begin_ns < b.begin_ns;
  });
  std::stable_sort(raw_.records.begin(), raw_.records.end(),
                   [](const RawRecord& a, const RawRecord& b) { return a.begin_ns < b.begin_ns; });
}

void CuptiTracer::collect(std::span<Trace> traces) {
  flush();
  store_.swap(raw_);
  if (raw_.dropped > 0) {
    throw Error(ErrorKind::kUnsupported, "kernels cannot be traced: " + std::to_string(raw_.dropped) +
                                             " records were dropped or lack their times");
  }
  const std::int64_t offset = clock_offset();
  sort_records();
  auto first = raw_.records.cbegin();
  for (std::size_t i = 0; i < traces.size(); ++i) {
    // Clocks agree to less than half of what lies between two inferences.
    const auto next = i + 1 == traces.size()
                          ? raw_.records.cend()
                          : std::partition_point(first, raw_.records.cend(), [&](const RawRecord& record) {
                              return record.begin_ns + offset < traces[i + 1].begin_ns - kSeparationNs / 2;
                            });
    fill(traces[i], {first, next}, offset);
    first = next;
  }
}

void CuptiTracer::fill(Trace& trace, std::span<const RawRecord> records, std::int64_t offset) {
  const auto node_of = [&](std::uint32_t span) { return span < trace.nodes.size() ? trace.nodes[span].node : kNoId; };
  trace.device.clear();
  trace.names.clear();
  trace.synchronisations.clear();
  trace.calls.clear();
  trace.device.reserve(records.size());
  std::fill(places_.begin(), places_.end(), kNoId);
  for (const RawRecord& raw : records) {
    DeviceRecord record;
    record.begin_ns = raw.begin_ns + offset;
    record.end_ns = raw.end_ns + offset;
    if (const ApiCall* call = call_of(raw_.calls, raw.correlation)) {
      record.launch_ns = call->begin_ns + offset;
      record.launched_ns = call->end_ns + offset;
    }
    record.stream = raw.stream;
    record.bytes = raw.bytes;
    record.kind = raw.kind;
    record.span = span_of(raw_.launches, raw.correlation);
    record.node = node_of(record.span);
    if (raw.name != kNoId) {
      if (raw.name >= places_.size()) places_.resize(raw.name + 1, kNoId);
      if (places_[raw.name] == kNoId) {
        places_[raw.name] = static_cast<std::uint32_t>(trace.names.size());
        trace.names.push_back(store_.name(raw.name));
      }
      record.name = places_[raw.name];
    }
    trace.device.push_back(record);
  }
  for (const ApiCall& call : raw_.calls) {
    const bool inner = &call != raw_.calls.data() && (&call - 1)->correlation == call.correlation;
    if (!inner) {
      trace.calls.push_back({call.begin_ns + offset, call.end_ns + offset, span_of(raw_.launches, call.correlation)});
    }
  }
  for (const RawWait& wait : raw_.waits) {
    trace.synchronisations.push_back(
        {wait.begin_ns + offset, wait.end_ns + offset, node_of(span_of(raw_.launches, wait.correlation))});
  }
}

}  // namespace nongemm::cuda
