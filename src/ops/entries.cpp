#include "ops/entries.h"

#include <array>

namespace nongemm {

std::span<const std::span<const OpEntry>> all_entries() {
  static const std::array kAll = {
      gemm_entries(),          einsum_entries(),          convolution_entries(),  attention_entries(),
      activation_entries(),    normalization_entries(),   arithmetic_entries(),   comparison_entries(),
      layout_entries(),        movement_entries(),        factory_entries(),      logit_entries(),
      roi_entries(),           interpolation_entries(),   embedding_entries(),    pooling_entries(),
      reduction_entries(),     synchronisation_entries(), control_entries(),      scatter_entries(),
      padding_entries(),       grouped_entries(),         quantization_entries(), transform_entries(),
      communication_entries(), fused_entries(),
  };
  return kAll;
}

}  // namespace nongemm
