// The options of `nongemm op` that make a call again: what the rules would fill in by themselves is left out.
#pragma once

#include "microbench/call.h"
#include "microbench/operand_rules.h"
#include "spec/run_spec.h"

namespace nongemm::microbench {

/// From which fill_operands makes the same call, with as few options as its rules need.
Given given_of(const Call& call);

/// What `nongemm op` would be asked for, from given_of: layer_norm, shape 1x2048x4096, dtype fp16.
OperatorRequest operator_request(const Call& call);

}  // namespace nongemm::microbench
