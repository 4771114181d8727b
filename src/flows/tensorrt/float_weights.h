// Weights in int8 as TensorRT 8 takes them: in fp32 before a QuantizeLinear, which the builder computes. It reads
// models with int8 initializers, and its compiler of blocks then fails over them ("weights.type() != DataType::kINT8").
#pragma once

#include "onnx/file.h"
#include "onnx/onnx_model.h"

namespace nongemm::tensorrt {

/// Puts a QuantizeLinear between an int8 weight and its DequantizeLinear, whose scales must be constants by then
/// (onnx::simplify); a weight that is reshaped in between is so still. Quantized again the weight is what it was. One
/// that is read otherwise, too, or stored twice, or has zero points, stays as it is.
/// @return gives the weights of the model as it is then; keeps `give` and what else it needs
onnx::GiveWeight quantize_weights_in_engine(onnx::ModelDef& model, onnx::GiveWeight give);

}  // namespace nongemm::tensorrt
