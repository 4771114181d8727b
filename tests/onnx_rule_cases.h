// Operators one by one, as small graphs over the same inputs: what the ONNX rules are tried on.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "ops/builder.h"

namespace nongemm {

/// The inputs of every case.
struct RuleInputs {
  Tensor x;         // float [2, 3, 4], of both signs
  Tensor y;         // float [3, 1], of both signs and not near zero
  Tensor positive;  // float [2, 3, 4]
  Tensor n;         // int64 [2, 3], of both signs
  Tensor k;         // int64 [2, 3], from 1 to 3
  Tensor mask;      // bool [2, 3, 4]
  Tensor image;     // float [2, 4, 6, 6]
};

struct RuleCase {
  std::string name;
  std::function<std::vector<Tensor>(Builder&, const RuleInputs&)> build;
};

inline std::ostream& operator<<(std::ostream& out, const RuleCase& rule) { return out << rule.name; }

std::vector<RuleCase> rule_cases();
/// Of these, those of decomposed programs and of operators that view, move and fill memory.
std::vector<RuleCase> core_rule_cases();
std::vector<RuleCase> memory_rule_cases();
/// Values of the inputs, in order.
std::vector<HostTensor> rule_input_values();
/// The case's graph, with one output for each of its results.
Graph graph_of(const RuleCase& rule);

}  // namespace nongemm
