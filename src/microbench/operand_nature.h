// What kind of tensor stands in a place of an operator: its dtype where that is not the call's, what it holds, and
// whether it is a parameter.
#pragma once

#include <string_view>

#include "microbench/call.h"

namespace nongemm::microbench {

struct Nature {
  /// kUndefined: the call's dtype.
  DType dtype = DType::kUndefined;
  Content::Kind content = Content::Kind::kNormal;
  bool parameter = false;
};

/// "layer_norm" of "aten.layer_norm.default".
std::string_view base_of(std::string_view op);
/// Whether `word` is one of the words of `words`; an empty list has them all.
bool is_one_of(std::string_view words, std::string_view word);

Nature nature_of(const OperatorInfo& info, std::string_view argument);

/// Says of every tensor of indices how far they may go, from the tensors that they index.
void limit_indices(Call& call);

}  // namespace nongemm::microbench
