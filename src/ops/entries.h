// The groups' lists of entries. A new file of operators adds a line here and in op_table's list (entries.cpp).
#pragma once

#include <span>

#include "ops/op.h"

namespace nongemm {

std::span<const OpEntry> gemm_entries();
std::span<const OpEntry> einsum_entries();
std::span<const OpEntry> grouped_entries();
std::span<const OpEntry> convolution_entries();
std::span<const OpEntry> attention_entries();
std::span<const OpEntry> activation_entries();
std::span<const OpEntry> normalization_entries();
std::span<const OpEntry> arithmetic_entries();
std::span<const OpEntry> comparison_entries();
std::span<const OpEntry> layout_entries();
std::span<const OpEntry> movement_entries();
std::span<const OpEntry> factory_entries();
std::span<const OpEntry> logit_entries();
std::span<const OpEntry> roi_entries();
std::span<const OpEntry> interpolation_entries();
std::span<const OpEntry> embedding_entries();
std::span<const OpEntry> pooling_entries();
std::span<const OpEntry> reduction_entries();
std::span<const OpEntry> quantization_entries();
std::span<const OpEntry> synchronisation_entries();
std::span<const OpEntry> control_entries();
std::span<const OpEntry> scatter_entries();
std::span<const OpEntry> padding_entries();
std::span<const OpEntry> transform_entries();
std::span<const OpEntry> communication_entries();
std::span<const OpEntry> fused_entries();

/// All of the above.
std::span<const std::span<const OpEntry>> all_entries();

}  // namespace nongemm
