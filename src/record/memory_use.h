// What an inference takes of a device's memory.
#pragma once

#include <cstdint>

namespace nongemm {

/// Bytes, as the runtime's own allocator counted them.
struct MemoryUse {
  std::uint64_t weights = 0;
  /// Most that was alive at once during an inference, weights included.
  std::uint64_t peak = 0;
};

}  // namespace nongemm
