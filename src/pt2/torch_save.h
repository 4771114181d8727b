// A small part of torch.save: what a program's sample inputs are kept in.
#pragma once

#include <string>
#include <vector>

#include "base/tensor.h"
#include "pt2/program.h"

namespace nongemm::pt2 {

/// The bytes of torch.save((positional, {name: keyword, ...})) of a program's inputs. Tensors are on the host,
/// contiguous. torch.load(..., weights_only=True) reads it.
/// @throws Error (kUnsupported) for element types without a storage class
std::string save_inputs(const std::vector<ProgramInput>& inputs, const std::vector<HostTensor>& tensors);

}  // namespace nongemm::pt2
