// Virtual hosts run at one of two speeds, which change within seconds: inferences of each are told apart.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nongemm {

/// Positions of samples by speed, the most frequent first; one group unless there are clearly two.
std::vector<std::vector<std::size_t>> host_speeds(std::span<const double> wall_s);

}  // namespace nongemm
