// Normalization. Paper II-A2: a shift and scale by statistics, of the data (layer norm) or recorded (batch norm).
#include <algorithm>
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kOverData = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kRecorded = {.single_operand = true};

// --- the forms of decomposed programs, which also give the statistics ---

/// (normalized, mean, reciprocal deviation); one number of each for every row that is normalized.
std::vector<Type> infer_native_layer_norm(const Operands& operands) {
  const Type& input = operands.tensor(0, operands.integers(1).size());
  Type statistics = tensor_type(input.dtype, input.shape);
  const auto kept = static_cast<std::ptrdiff_t>(input.shape.size() - operands.integers(1).size());
  std::fill(statistics.shape.begin() + kept, statistics.shape.end(), 1);
  return {contiguous_like_first(operands)[0], statistics, statistics};
}

std::vector<Type> infer_native_group_norm(const Operands& operands) {
  const Type& input = operands.tensor(0, 2);
  const Type statistics = tensor_type(input.dtype, {input.shape[0], operands.integer(6)});
  return {contiguous_like_first(operands)[0], statistics, statistics};
}

/// With recorded statistics there is nothing to give but the result: the others are empty.
std::vector<Type> infer_native_batch_norm(const Operands& operands) {
  const int training = operands.schema().find_arg("training");
  const bool over_data = training >= 0 && operands.flag(static_cast<std::size_t>(training));
  const Type& input = operands.tensor(0, 2);
  const Type statistics = tensor_type(input.dtype, {over_data ? input.shape[1] : 0});
  return {map_like_first(operands)[0], statistics, statistics};
}

/// Statistics of the data cost what they cost in the other normalizations.
Cost cost_native_batch_norm(const Operands& operands, std::span<const Type> results) {
  const int training = operands.schema().find_arg("training");
  const bool over_data = training >= 0 && operands.flag(static_cast<std::size_t>(training));
  return over_data ? per_output<8>(operands, results) : per_output<2>(operands, results);
}

constexpr OpEntry native(std::string_view schema, std::string_view variant, Traits traits, InferRule infer,
                         CostRule cost, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kNormalization,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, "
                      "Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor",
            .group = Group::kNormalization,
            .variant = "LayerNorm",
            .traits = kOverData,
            .infer = contiguous_like_first,
            .cost = per_output<8>,
            .lower = onnx_rules::layer_norm},
    OpEntry{.schema = "aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, "
                      "float? eps=None) -> Tensor",
            .group = Group::kNormalization,
            .variant = "RMSNorm",
            .traits = kOverData,
            .infer = contiguous_like_first,
            .cost = per_output<4>,
            .lower = onnx_rules::rms_norm},
    OpEntry{.schema = "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
                      "float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
            .group = Group::kNormalization,
            .variant = "GroupNorm",
            .traits = kOverData,
            .infer = contiguous_like_first,
            .cost = per_output<8>,
            .lower = onnx_rules::group_norm},
    OpEntry{.schema = "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
                      "Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
            .group = Group::kNormalization,
            .variant = "BatchNorm",
            .traits = kRecorded,
            .infer = map_like_first,
            .cost = per_output<2>,
            .lower = onnx_rules::batch_norm},
    OpEntry{.schema = "aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
                      "Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) "
                      "-> Tensor",
            .group = Group::kNormalization,
            .variant = "InstanceNorm",
            .traits = kOverData,
            .infer = contiguous_like_first,
            .cost = per_output<8>,
            .lower = onnx_rules::instance_norm},
    native("aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) "
           "-> (Tensor, Tensor, Tensor)",
           "LayerNorm", kOverData, infer_native_layer_norm, per_output<8>, onnx_rules::native_layer_norm),
    native("aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, "
           "int group, float eps) -> (Tensor, Tensor, Tensor)",
           "GroupNorm", kOverData, infer_native_group_norm, per_output<8>, onnx_rules::native_group_norm),
    native("aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
           "Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
           "BatchNorm", kRecorded, infer_native_batch_norm, cost_native_batch_norm, onnx_rules::native_batch_norm),
    native("aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, "
           "Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
           "BatchNorm", kRecorded, infer_native_batch_norm, cost_native_batch_norm, onnx_rules::native_batch_norm),
    native("aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
           "float momentum, float eps) -> (Tensor, Tensor, Tensor)",
           "BatchNorm", kOverData, infer_native_batch_norm, cost_native_batch_norm, onnx_rules::native_batch_norm),
    native("aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, "
           "Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
           "BatchNorm", kRecorded, infer_native_batch_norm, cost_native_batch_norm, onnx_rules::native_batch_norm),
};

}  // namespace

std::span<const OpEntry> normalization_entries() { return kEntries; }

}  // namespace nongemm
