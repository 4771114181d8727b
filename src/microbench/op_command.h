// The options of `nongemm op` that make a call again: what the rules would fill in by themselves is left out.
#pragma once

#include <string>

#include "microbench/call.h"
#include "microbench/operand_rules.h"

namespace nongemm::micro {

/// From which fill_operands makes the same call, with as few options as its rules need.
Given given_of(const Call& call);

/// "layer_norm --shape 1x2048x4096 --dtype fp16", from given_of.
std::string command_of(const Call& call);

}  // namespace nongemm::micro
