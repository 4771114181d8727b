// Operators one by one, with operands: what the operator table says of each is held to what LibTorch gives.
// A new entry of the table has a case by itself when its operands follow from "a tensor 2x8x16" and its schema; where
// they do not, or where more ought to be tried, it takes one line in operator_cases.cpp.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "microbench/call.h"

namespace nongemm {

struct OperatorCase {
  std::string op;        // "aten.conv2d.default"
  std::string operands;  // "2x4x8x8 weight=6x4x3x3 stride=2,2": as read_call takes it

  /// What a test of it may be called.
  std::string identifier() const;
};

std::ostream& operator<<(std::ostream& out, const OperatorCase& test);

/// All of every operator of the table; of one that only control_test can try (kElsewhere) none.
std::vector<OperatorCase> operator_cases();

/// Operators that these cases cannot call, and where they are tried.
struct TriedElsewhere {
  std::string_view op;
  std::string_view where;
};
const std::vector<TriedElsewhere>& operators_tried_elsewhere();

/// Words of the operands: SHAPE (of the tensors in the order of the schema), NAME=SHAPE or NAME=SHAPE,SHAPE or
/// NAME=none (tensors), NAME=VALUE (other arguments), NAME:DTYPE and :DTYPE (of one tensor, of all), NAME@LAYOUT and
/// @LAYOUT (of one tensor, of the first). What is not said follows from the schema, as for `nongemm op`.
/// Throws Error(kUsage) naming the operator and what does not fit.
microbench::Call read_call(const OperatorCase& test);

}  // namespace nongemm
