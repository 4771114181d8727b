// The operators of passes/fuse for the dispatcher: ops/fused.cpp has their schemas and what they are for.
#pragma once

namespace nongemm::torch_flow {

/// Definitions and CPU kernels.
void register_fused_operators();

}  // namespace nongemm::torch_flow
