#include "flows/cuda/record_store.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>

#include "flows/cuda/cupti.h"

namespace nongemm::cuda {
namespace {

/// Room for some 20,000 kernels: an inference seldom fills one, so nothing is read while it runs.
constexpr std::size_t kBufferBytes = std::size_t{4} << 20;

std::string demangle(const char* mangled) {
  int status = 0;
  char* text = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  std::string result = status == 0 && text != nullptr ? text : mangled;
  std::free(text);
  return result;
}

DeviceRecord::Kind kind_of_copy(std::uint8_t kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD:
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOA:
      return DeviceRecord::Kind::kMemcpyHostToDevice;
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH:
    case CUPTI_ACTIVITY_MEMCPY_KIND_ATOH:
      return DeviceRecord::Kind::kMemcpyDeviceToHost;
    default:
      return DeviceRecord::Kind::kMemcpyDeviceToDevice;
  }
}

/// What kernels, copies and fills have in common.
template <typename Activity>
RawRecord common_part(const Activity& activity, DeviceRecord::Kind kind) {
  RawRecord record;
  record.begin_ns = static_cast<std::int64_t>(activity.start);
  record.end_ns = static_cast<std::int64_t>(activity.end);
  record.stream = activity.streamId;
  record.correlation = activity.correlationId;
  record.kind = kind;
  return record;
}

bool host_waits(CUpti_ActivitySynchronizationType type) {
  return type == CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_EVENT_SYNCHRONIZE ||
         type == CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE ||
         type == CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_CONTEXT_SYNCHRONIZE;
}

}  // namespace

void RawTrace::clear() {
  records.clear();
  waits.clear();
  launches.clear();
  calls.clear();
  dropped = 0;
}

void RecordStore::lend(std::uint8_t** buffer, std::size_t* size) {
  const std::lock_guard lock(mutex_);
  if (free_buffers_.empty()) {
    // operator new aligns to 16 bytes; CUPTI asks for 8. The zeros touch every page, so that no inference does.
    *buffer = reinterpret_cast<std::uint8_t*>(new (std::nothrow) std::byte[kBufferBytes]());
  } else {
    *buffer = reinterpret_cast<std::uint8_t*>(free_buffers_.back().release());
    free_buffers_.pop_back();
  }
  *size = *buffer != nullptr ? kBufferBytes : 0;
}

void RecordStore::take_back(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t valid_bytes) {
  if (buffer == nullptr) return;
  const std::size_t valid = valid_bytes;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<std::byte[]> owned(reinterpret_cast<std::byte*>(buffer));
  CUpti_Activity* record = nullptr;
  while (valid_bytes > 0 && cupti().next_record(buffer, valid_bytes, &record) == CUPTI_SUCCESS) {
    try {
      read(*record);
    } catch (const std::bad_alloc&) {  // nothing may be thrown through CUPTI
      ++trace_.dropped;
    }
  }
  std::size_t dropped = 0;
  if (cupti().dropped_records(context, stream, &dropped) == CUPTI_SUCCESS) trace_.dropped += dropped;
  std::memset(owned.get(), 0, valid);
  try {
    free_buffers_.push_back(std::move(owned));
  } catch (const std::bad_alloc&) {
    // One buffer less to lend again.
  }
}

void RecordStore::swap(RawTrace& trace) {
  trace.clear();
  const std::lock_guard lock(mutex_);
  std::swap(trace, trace_);
}

void RecordStore::read(const CUpti_Activity& activity) {
  const auto keep = [&](const RawRecord& record) {
    // A record without times belongs to work that had not ended, or whose times CUPTI could not get.
    if (record.end_ns == 0 || record.begin_ns == 0) {
      ++trace_.dropped;
    } else {
      trace_.records.push_back(record);
    }
  };
  switch (activity.kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      const auto& kernel = reinterpret_cast<const CUpti_ActivityKernel10&>(activity);
      RawRecord record = common_part(kernel, DeviceRecord::Kind::kKernel);
      record.name = intern(kernel.name != nullptr ? kernel.name : "(unnamed)");
      keep(record);
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY: {
      const auto& copy = reinterpret_cast<const CUpti_ActivityMemcpy6&>(activity);
      RawRecord record = common_part(copy, kind_of_copy(copy.copyKind));
      record.bytes = copy.bytes;
      keep(record);
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMSET: {
      const auto& fill = reinterpret_cast<const CUpti_ActivityMemset4&>(activity);
      RawRecord record = common_part(fill, DeviceRecord::Kind::kMemset);
      record.bytes = fill.bytes;
      keep(record);
      break;
    }
    case CUPTI_ACTIVITY_KIND_SYNCHRONIZATION: {
      const auto& wait = reinterpret_cast<const CUpti_ActivitySynchronization2&>(activity);
      if (host_waits(wait.type) && wait.start != 0 && wait.end != 0) {
        trace_.waits.push_back(
            {static_cast<std::int64_t>(wait.start), static_cast<std::int64_t>(wait.end), wait.correlationId});
      }
      break;
    }
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
      const auto& launch = reinterpret_cast<const CUpti_ActivityExternalCorrelation&>(activity);
      if (launch.externalKind == CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0) {
        trace_.launches.push_back({launch.correlationId, static_cast<std::uint32_t>(launch.externalId - 1)});
      }
      break;
    }
    case CUPTI_ACTIVITY_KIND_RUNTIME:
    case CUPTI_ACTIVITY_KIND_DRIVER: {
      const auto& call = reinterpret_cast<const CUpti_ActivityAPI&>(activity);
      trace_.calls.push_back(
          {call.correlationId, static_cast<std::int64_t>(call.start), static_cast<std::int64_t>(call.end)});
      break;
    }
    default:
      break;
  }
}

std::uint32_t RecordStore::intern(const char* mangled) {
  Known& known = by_pointer_[mangled];
  if (known.id != kNoId && known.mangled == mangled) return known.id;
  const auto [entry, added] = ids_.emplace(mangled, static_cast<std::uint32_t>(names_.size()));
  if (added) names_.push_back(demangle(mangled));
  known = {entry->first, entry->second};
  return entry->second;
}

}  // namespace nongemm::cuda
