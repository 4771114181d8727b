// What no runtime can run, told before any of them tries: some hang on it, or fault.
#pragma once

#include "import/onnx/call.h"
#include "import/onnx/model.h"

namespace nongemm::onnx {

/// Functions that call themselves, or that become more nodes than anything can run when they stand in the place of
/// their calls: each runtime puts them there. @throws Error (kBadInput) naming the function
void check_functions(const ReadModel& model);

/// Operands whose sizes do not fit each other, where they are known, and divisions by a constant zero.
/// @throws Error (kBadInput) naming the node
void check_operands(OnnxCall& call);

/// "node 'add' (Add)", or its results where it has no name.
std::string describe(const ReadNode& node);

}  // namespace nongemm::onnx
