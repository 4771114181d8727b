// What a user of `nongemm op` did not give, filled in from the operator's schema and the shapes that were given.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "microbench/call.h"

namespace nongemm::microbench {

/// What the command line says of one call; names are those of the operator's schema, "tensors.1" is an element of a
/// list.
struct Given {
  /// Without a name: for the operator's tensors in the order of its schema, a list of tensors takes all that are left;
  /// nullopt is none.
  std::vector<std::optional<Shape>> shapes;
  /// By name; a list has one element each, nullopt is none.
  std::map<std::string, std::vector<std::optional<Shape>>> named_shapes;
  DType dtype = DType::kFloat32;
  std::map<std::string, DType> dtypes;
  std::string layout = "contiguous";  // of the first tensor
  std::map<std::string, std::string> layouts;
  Content content;  // of floating-point tensors that no rule says anything of
  std::map<std::string, Content> contents;
  std::map<std::string, std::string> arguments;
};

/// The whole call. Throws Error(kUsage) that prints the schema and what is missing or not understood.
Call fill_operands(const OperatorInfo& info, const Given& given);

/// What a tensor in this place of this operator holds, and whether it is a parameter; for calls taken from a graph.
void describe_tensors(Call& call);

}  // namespace nongemm::microbench
