// A parallel loop for host work outside the measured inference: weights, conversions.
#pragma once

#include <cstddef>
#include <functional>

namespace nongemm {

/// The processors this process may use.
int available_threads();

/// Calls body(0) ... body(tasks - 1), each once, in any order, on up to `threads` threads (0: available_threads()), the
/// calling one included. The first exception stops the loop and is thrown here.
void parallel_for(std::size_t tasks, int threads, const std::function<void(std::size_t)>& body);

}  // namespace nongemm
