// The calls of a compiled model's inference on a host: every kernel is bracketed with a RecordFunction.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nongemm::inductor_flow {

struct Call {
  std::string name;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

/// Calls `run` and gives the outermost calls of this thread meanwhile, in their order. What only reserves memory or
/// makes a view is none.
std::vector<Call> watch_calls(const std::function<void()>& run);

}  // namespace nongemm::inductor_flow
