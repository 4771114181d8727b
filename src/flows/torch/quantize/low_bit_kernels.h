// Weights of few bits back to numbers on the CPU: plain memory, no threads of its own.
#pragma once

#include <cstdint>

namespace nongemm::torch_flow {

/// A row of a weight whose values share a scale by groups.
struct GroupedRow {
  /// Two to a byte of 4 bits, the first in the lower half. With zeros, and of 4 bits, they have no sign.
  const void* values = nullptr;
  int bits = 8;  // or 4
  std::int64_t columns = 0;
  std::int64_t group = 0;
  const float* scales = nullptr;        // one for each group, the last of which may be shorter
  const std::uint8_t* zeros = nullptr;  // likewise; without them 8 for 4 bits, and 0
};

/// out [columns] = (values - zeros) times scales
void dequantize_row(const GroupedRow& row, float* out);

}  // namespace nongemm::torch_flow
