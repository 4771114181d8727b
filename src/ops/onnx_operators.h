// ONNX operators by the groups of the operator table, for models and traces that were not lowered here.
#pragma once

#include <cstdint>
#include <string_view>

#include "ops/op.h"

namespace nongemm {

/// What an operator does with the elements of its first operand.
enum class OnnxElements : std::uint8_t {
  kComputed,
  kMoved,      // the same elements in another order or place
  kUntouched,  // the same memory, described in another way
};

struct OnnxOperator {
  std::string_view name;  // "MatMul"
  Group group = Group::kOther;
  std::string_view variant;  // as in the operator table
  Traits traits = {};
  OnnxElements elements = OnnxElements::kComputed;
};

/// Operators of the default domain and what exporters of TensorFlow models call theirs; nullptr for unknown ones.
const OnnxOperator* find_onnx_operator(std::string_view name);

/// The operator that a node's name ends in, as exporters name nodes: "/encoder/layer.0/attention/MatMul_1", "Conv_12".
/// nullptr for other names.
const OnnxOperator* onnx_operator_in_name(std::string_view node_name);

}  // namespace nongemm
