// Logit computation: what turns scores into probabilities.
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> infer_softmax(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(operands.dtype(2, self.dtype), self.shape)};
}

/// _softmax: the form of decomposed programs, which may widen halves on the way.
std::vector<Type> infer_widened_softmax(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(operands.flag(2) ? DType::kFloat32 : self.dtype, self.shape)};
}

template <OnnxType kType>
void softmax(OnnxLowering& onnx) {
  const std::int64_t dim = onnx.operands().integer(1);
  onnx.result(onnx.add(kType.text, {onnx.tensor(0, onnx.result_type().dtype)}, {{"axis", dim}}));
}

constexpr Traits kSoftmax = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kSigmoid = {.single_operand = true, .nonlinear = true};

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
            .group = Group::kLogit,
            .variant = "Softmax",
            .traits = kSoftmax,
            .infer = infer_softmax,
            .cost = per_output<5>,
            .lower = softmax<"Softmax">},
    OpEntry{.schema = "aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
            .group = Group::kLogit,
            .variant = "LogSoftmax",
            .traits = kSoftmax,
            .infer = infer_softmax,
            .cost = per_output<6>,
            .lower = softmax<"LogSoftmax">},
    OpEntry{.schema = "aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
            .group = Group::kLogit,
            .variant = "Softmax",
            .traits = kSoftmax,
            .infer = infer_widened_softmax,
            .cost = per_output<5>,
            .lower = softmax<"Softmax">},
    OpEntry{.schema = "aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
            .group = Group::kLogit,
            .variant = "LogSoftmax",
            .traits = kSoftmax,
            .infer = infer_widened_softmax,
            .cost = per_output<6>,
            .lower = softmax<"LogSoftmax">},
    OpEntry{.schema = "aten::sigmoid(Tensor self) -> Tensor",
            .group = Group::kLogit,
            .variant = "Sigmoid",
            .traits = kSigmoid,
            .infer = elementwise_float,
            .cost = per_output<3>,
            .lower = onnx_rules::unary<"Sigmoid">},
    OpEntry{.schema = "aten::sigmoid_(Tensor(a!) self) -> Tensor(a!)",
            .group = Group::kLogit,
            .variant = "Sigmoid",
            .traits = kSigmoid,
            .infer = in_place,
            .cost = per_output<3>,
            .lower = onnx_rules::unary<"Sigmoid">},
};

}  // namespace

std::span<const OpEntry> logit_entries() { return kEntries; }

}  // namespace nongemm
