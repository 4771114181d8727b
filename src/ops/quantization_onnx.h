// ONNX rules of quantization.cpp.
#pragma once

#include "ops/onnx_lowering.h"

namespace nongemm::onnx_rules {

void row_quantize(OnnxLowering& onnx);
void static_quantize(OnnxLowering& onnx);
void int8_linear(OnnxLowering& onnx);
void grouped_linear(OnnxLowering& onnx);

}  // namespace nongemm::onnx_rules
