// The product that exported mixtures of experts hold in place of PyTorch's own.
#pragma once

namespace nongemm::torch_flow {

/// Defines transformers::grouped_mm_fallback, which LibTorch lacks: aten::_grouped_mm where its rules on memory allow
/// it, one product for each group elsewhere, as transformers' own. Safe to call again.
void register_grouped_products();

}  // namespace nongemm::torch_flow
