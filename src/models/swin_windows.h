// What torchvision's and transformers' Swin share: attention inside windows that are shifted every second block.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ops/builder.h"

namespace nongemm::swin {

/// Height and width.
using Size2 = std::array<std::int64_t, 2>;

/// For each pair of tokens of a window, flattened [n * n] with n = window[0] * window[1]: the row of the bias table,
/// which has one row for each of the (2 h - 1)(2 w - 1) offsets of two tokens.
HostTensor relative_position_index(Size2 window);

/// Writes 0 to 8 into the nine regions of `map`, whose dimensions `first_dim` and the next are height and width, that
/// a cyclic shift brings together: tokens of different regions are no neighbours and must not see each other.
void number_regions(const Tensor& map, std::int64_t first_dim, Size2 window, Size2 shift);

}  // namespace nongemm::swin
