// The sum over ranks as torch.distributed.all_reduce(tensor) makes it: in place, and over when the call returns, on a
// device for what is launched after it.
#pragma once

namespace nongemm::torch_flow {

/// Makes nongemm::all_reduce_ (ops/communication.cpp) known to the dispatcher. Safe to call again.
void register_all_reduce();

}  // namespace nongemm::torch_flow
