// Sizes of tensors whose shapes come from files: products that must not overflow.
#pragma once

#include <cstdint>
#include <optional>

#include "base/tensor.h"

namespace nongemm::weights {

/// Bytes of a tensor, or nothing when a dimension is negative or the product (of the non-zero dimensions too, so that
/// every stride is sound) leaves 63 bits.
inline std::optional<std::uint64_t> checked_byte_size(DType dtype, const Shape& shape) {
  std::int64_t product = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (std::int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, dim, &product)) {
      return std::nullopt;
    }
  }
  if (empty) return 0;
  // Elements of 4 bits lie two to a byte.
  const auto bytes = static_cast<std::uint64_t>(product);
  return info(dtype).bits == 4 ? bytes / 2 + bytes % 2 : bytes;
}

}  // namespace nongemm::weights
