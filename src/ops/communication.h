// Which operators are collectives.
#pragma once

#include <string_view>

namespace nongemm {

/// Of the functional kind, whose result has to be waited for: "_c10d_functional.all_reduce.default".
inline bool is_collective(std::string_view op) {
  return op.starts_with("_c10d_functional.") && !op.starts_with("_c10d_functional.wait_tensor");
}

/// What waits for the result of one.
inline constexpr std::string_view kWaitForCollective = "_c10d_functional.wait_tensor.default";

}  // namespace nongemm
