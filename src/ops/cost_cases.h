// Calls of every operator, and what each has to cost by a count that walks the loops, or by a formula that does not
// come from the table. For cost_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ops/builder.h"

namespace nongemm::cost_cases {

/// What a call has to cost; kUnknownWork for what nobody can know before the run.
struct Work {
  double flops = 0;
  double read = 0;     // bytes
  double written = 0;  // bytes
};

inline constexpr int kVariants = 3;

/// Adds the call, as the last node of the builder's graph, in one of kVariants shapes.
using Case = std::function<Work(Builder& b, int variant)>;
using Cases = std::map<std::string, Case>;

Cases elementwise();
Cases products();
Cases windows();
Cases reductions();
Cases memory();
Cases quantization();
Cases communication();
Cases fused();

// --- what the cases are made of -------------------------------------------------------------------------------------

/// A new operand.
Tensor operand(Builder& b, Shape shape, DType dtype = DType::kFloat32);

/// Elements, one by one.
double count(const Shape& shape);
inline double bytes(const Shape& shape, int width = 4) { return count(shape) * width; }
/// Bytes of all.
double total(const std::vector<Shape>& shapes, int width = 4);

}  // namespace nongemm::cost_cases
