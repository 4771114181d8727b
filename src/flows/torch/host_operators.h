// Operators of our own that run on the host: Python's arithmetic on sizes, for graphs with data-dependent shapes.
#pragma once

namespace nongemm::torch_flow {

/// Makes the operators of ops/control.cpp known to the dispatcher. Safe to call again.
void register_host_operators();

}  // namespace nongemm::torch_flow
