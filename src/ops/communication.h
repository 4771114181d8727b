// Which operators are collectives.
#pragma once

#include <string_view>

namespace nongemm {

/// The sum over ranks that is over when the call returns, in place of its operand.
inline constexpr std::string_view kAllReduceInPlace = "nongemm.all_reduce_.default";

/// Of the functional kind, whose result has to be waited for: "_c10d_functional.all_reduce.default".
inline bool is_functional_collective(std::string_view op) {
  return op.starts_with("_c10d_functional.") && !op.starts_with("_c10d_functional.wait_tensor");
}

inline bool is_collective(std::string_view op) { return op == kAllReduceInPlace || is_functional_collective(op); }

/// What waits for the result of a functional one.
inline constexpr std::string_view kWaitForCollective = "_c10d_functional.wait_tensor.default";

}  // namespace nongemm
