// How far a model's outputs are from their references.
#pragma once

#include <string>

#include "base/tensor.h"

namespace nongemm {

struct OutputDifference {
  std::string name;
  Shape shape;
  double largest_absolute = 0;
  double magnitude = 0;         // the reference's largest, infinities left out
  double largest_relative = 0;  // against that magnitude
  double rms_relative = 0;      // root mean square of the differences against that of the reference
  /// Shapes differ, or the output is missing: what, for people. Empty when they could be compared. Dtypes may differ:
  /// values are compared.
  std::string mismatch;
};

}  // namespace nongemm
