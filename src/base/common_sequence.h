// The longest common sequence of two lists, for lists that are nearly equal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nongemm {

/// Pairs of positions (in the first list, in the second) that a longest common sequence is made of, in order. E. Myers,
/// "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form. Time and memory grow with the square of
/// the number of differences only.
/// @param most gives up, with the common beginning alone, when the lists differ in more than this many places
/// @param same called as same(i, k)
template <typename Same>
std::vector<std::pair<std::size_t, std::size_t>> common_sequence(std::size_t first_size, std::size_t second_size,
                                                                 std::size_t most, Same&& same) {
  const auto n = static_cast<std::int64_t>(first_size);
  const auto m = static_cast<std::int64_t>(second_size);
  const auto limit = static_cast<std::int64_t>(std::min(most, first_size + second_size));
  const auto equal = [&](std::int64_t i, std::int64_t k) {
    return same(static_cast<std::size_t>(i), static_cast<std::size_t>(k));
  };

  // reach[limit + 1 + d]: how far one gets in the first list on diagonal d (position in first - position in second).
  std::vector<std::int64_t> reach(static_cast<std::size_t>(2 * limit + 3), 0);
  const auto at = [&](std::vector<std::int64_t>& row, std::int64_t diagonal, std::int64_t centre) -> std::int64_t& {
    return row[static_cast<std::size_t>(centre + diagonal)];
  };
  std::vector<std::vector<std::int64_t>> history;  // row of step s: diagonals -s ... s
  std::int64_t common_begin = 0;
  bool found = false;
  for (std::int64_t step = 0; step <= limit && !found; ++step) {
    for (std::int64_t d = -step; d <= step; d += 2) {
      const bool down = d == -step || (d != step && at(reach, d - 1, limit + 1) < at(reach, d + 1, limit + 1));
      std::int64_t i = 0;
      if (step > 0) i = down ? at(reach, d + 1, limit + 1) : at(reach, d - 1, limit + 1) + 1;
      while (i < n && i - d < m && equal(i, i - d)) ++i;
      if (step == 0) common_begin = i;
      at(reach, d, limit + 1) = i;
      if (i >= n && i - d >= m) found = true;
    }
    history.emplace_back(reach.begin() + (limit + 1 - step), reach.begin() + (limit + 2 + step));
  }

  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const auto keep = [&](std::int64_t i, std::int64_t k) {
    pairs.emplace_back(static_cast<std::size_t>(i), static_cast<std::size_t>(k));
  };
  if (!found) {
    for (std::int64_t i = 0; i < common_begin; ++i) keep(i, i);
    return pairs;
  }
  std::int64_t i = n;
  std::int64_t k = m;
  for (auto step = static_cast<std::int64_t>(history.size()) - 1; step > 0; --step) {
    std::vector<std::int64_t>& row = history[static_cast<std::size_t>(step - 1)];
    const std::int64_t centre = step - 1;
    const auto value = [&](std::int64_t diagonal) {
      return diagonal < -centre || diagonal > centre ? INT64_MIN : at(row, diagonal, centre);
    };
    const std::int64_t d = i - k;
    const bool down = d == -step || (d != step && value(d - 1) < value(d + 1));
    const std::int64_t previous_i = down ? value(d + 1) : value(d - 1);
    const std::int64_t previous_k = previous_i - (down ? d + 1 : d - 1);
    const std::int64_t snake_begin = down ? previous_i : previous_i + 1;
    while (i > snake_begin) keep(--i, --k);
    i = previous_i;
    k = previous_k;
  }
  while (i > 0 && k > 0) keep(--i, --k);
  std::reverse(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace nongemm
