// Operators of LLM.int8 for the dispatcher: the program's own (nongemm::int8_*) and bitsandbytes' under their names.
#pragma once

namespace nongemm::torch_flow {

/// Definitions and CPU kernels. bitsandbytes' are left alone where its own library is loaded.
void register_int8_operators();

}  // namespace nongemm::torch_flow
