// Normalization. Paper II-A2: a shift and scale by statistics, of the data (layer norm) or recorded (batch norm).
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kOverData = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kRecorded = {.single_operand = true};

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
            .infer = like_first,
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
};

}  // namespace

std::span<const OpEntry> normalization_entries() { return kEntries; }

}  // namespace nongemm
