// The host's memory that tensors take during an inference.
#pragma once

#include <c10/core/Allocator.h>

#include <algorithm>
#include <cstdint>

namespace nongemm::torch_flow {

/// Follows the allocator: LibTorch's CPU allocator reports every allocation of the thread that asks. Put in place by
/// c10::DebugInfoGuard with DebugInfoKind::PROFILER_STATE.
class MemoryWatch : public c10::MemoryReportingInfoBase {
 public:
  bool memoryProfilingEnabled() const override { return true; }
  void reportMemoryUsage(void*, std::int64_t change, std::size_t, std::size_t, c10::Device device) override {
    if (!device.is_cpu()) return;
    current_ += change;
    peak_ = std::max(peak_, current_);
  }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t current_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace nongemm::torch_flow
