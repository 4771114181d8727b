// What torchvision's and transformers' Swin share: attention inside windows that are shifted every second block.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "models/config.h"
#include "ops/builder.h"

namespace nongemm::swin {

/// Height and width.
using Size2 = std::array<std::int64_t, 2>;

/// A configuration's [height, width]; one number serves for both when `one_will_do`.
Size2 side_lengths(const Config& config, std::string_view key, Size2 otherwise, bool one_will_do);
/// Refuses windows whose position bias, quadratic in their tokens, would be absurd.
void check_window(const Config& config, Size2 window);
/// Refuses a stage whose heads do not divide its channels.
void check_heads(const Config& config, std::int64_t heads, std::int64_t channels);

/// For each pair of tokens of a window, n = window[0] * window[1]: the row of the bias table, which has one row for
/// each of the (2 h - 1)(2 w - 1) offsets of two tokens. Shape [n * n] or [n, n].
HostTensor relative_position_index(Size2 window, bool flat);

/// The position bias of the module in scope, [1, heads, n, n]; `index` [n * n]. Gathered in every forward().
Tensor position_bias(Builder& builder, const Tensor& index, Size2 window, std::int64_t heads);

/// Writes 0 to 8 into the nine regions of `map` [height, width] that a cyclic shift brings together: tokens of
/// different regions are no neighbours and must not see each other.
void number_regions(const Tensor& map, Size2 window, Size2 shift);

/// regions [windows, n], the region of each token -> [windows, n, n]: -100 between tokens of different regions.
Tensor separate_regions(const Tensor& regions);

/// scores [batch * windows, heads, n, n] + mask [windows, n, n]
Tensor add_shift_mask(const Tensor& scores, const Tensor& mask);

/// [batch, height, width, c] -> [batch, height / 2, width / 2, 4 c]: four neighbours become one token.
Tensor join_neighbours(const Tensor& x);

}  // namespace nongemm::swin
