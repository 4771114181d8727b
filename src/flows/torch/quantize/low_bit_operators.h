// Operators of models whose weights have few bits: integers by groups, and 8-bit floating point by rows.
#pragma once

namespace nongemm::torch_flow {

/// Defines nongemm::group_quantize, grouped_linear, fp8_row_quantize and fp8_linear, for the host and for devices: what
/// a device runs are LibTorch's own operators. Once.
void register_low_bit_operators();

}  // namespace nongemm::torch_flow
