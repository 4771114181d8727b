// CUPTI's buffers and what is kept of them: 40 bytes a record, until the trace is collected.
#pragma once

#include <cupti.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "record/trace.h"

namespace nongemm::cuda {

struct RawRecord {
  std::int64_t begin_ns = 0;  // CUPTI's clock
  std::int64_t end_ns = 0;
  std::uint64_t bytes = 0;
  std::uint32_t name = kNoId;  // in the store's table of names
  std::uint32_t stream = 0;
  std::uint32_t correlation = 0;
  DeviceRecord::Kind kind = DeviceRecord::Kind::kKernel;
};

struct RawWait {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t correlation = 0;
};

/// Which entry of Trace::nodes an API call belongs to.
struct Launch {
  std::uint32_t correlation = 0;
  std::uint32_t span = kNoId;
};

/// A call of the runtime's or the driver's API; one inside the other have the same correlation id.
struct ApiCall {
  std::uint32_t correlation = 0;
  std::int64_t begin_ns = 0;  // CUPTI's clock
  std::int64_t end_ns = 0;
};

struct RawTrace {
  std::vector<RawRecord> records;
  std::vector<RawWait> waits;
  std::vector<Launch> launches;
  std::vector<ApiCall> calls;
  std::size_t dropped = 0;

  void clear();
};

/// Lends buffers of zeros to CUPTI, takes them back and reads them. CUPTI calls from threads of its own.
class RecordStore {
 public:
  void lend(std::uint8_t** buffer, std::size_t* size);
  /// Reads the records and keeps the buffer for the next time.
  void take_back(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t valid_bytes);

  /// Hands out everything read so far; `trace` is cleared first and its memory reused.
  void swap(RawTrace& trace);
  /// Demangled. Entries stay for good: a process has a few hundred different kernels.
  const std::string& name(std::uint32_t id) const { return names_[id]; }

 private:
  struct Known {
    std::string mangled;
    std::uint32_t id = kNoId;
  };

  void read(const CUpti_Activity& record);
  std::uint32_t intern(const char* mangled);

  std::mutex mutex_;
  RawTrace trace_;
  std::vector<std::unique_ptr<std::byte[]>> free_buffers_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  /// CUPTI gives the same pointer for the same kernel; compared with the text before it is trusted.
  std::unordered_map<const char*, Known> by_pointer_;
};

}  // namespace nongemm::cuda
