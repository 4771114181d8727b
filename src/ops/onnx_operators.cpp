#include "ops/onnx_operators.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace nongemm {
namespace {

constexpr Traits kReduces{.reduction = true};

constexpr std::array kOperators = {
    // GEMM
    OnnxOperator{"MatMul", Group::kGemm, "MatMul"},
    OnnxOperator{"Gemm", Group::kGemm, "Linear"},
    OnnxOperator{"Conv", Group::kGemm, "Conv2d"},
    OnnxOperator{"Conv2D", Group::kGemm, "Conv2d"},
    OnnxOperator{"ConvTranspose", Group::kGemm, "ConvTranspose2d"},
    OnnxOperator{"DepthwiseConv2dNative", Group::kGemm, "Conv2d"},
    OnnxOperator{"Einsum", Group::kGemm, "Einsum"},
    OnnxOperator{"MatMulInteger", Group::kGemm, "MatMul"},
    OnnxOperator{"ConvInteger", Group::kGemm, "Conv2d"},
    OnnxOperator{"QLinearMatMul", Group::kGemm, "MatMul"},
    OnnxOperator{"QLinearConv", Group::kGemm, "Conv2d"},
    OnnxOperator{"LSTM", Group::kGemm, "LSTM"},
    OnnxOperator{"GRU", Group::kGemm, "GRU"},
    OnnxOperator{"Attention", Group::kAttention, "Attention"},
    OnnxOperator{"MultiHeadAttention", Group::kAttention, "Attention"},
    // Activation
    OnnxOperator{"Relu", Group::kActivation, "ReLU"},
    OnnxOperator{"LeakyRelu", Group::kActivation, "LeakyReLU"},
    OnnxOperator{"PRelu", Group::kActivation, "PReLU"},
    OnnxOperator{"Elu", Group::kActivation, "ELU"},
    OnnxOperator{"Selu", Group::kActivation, "SELU"},
    OnnxOperator{"Gelu", Group::kActivation, "GELU"},
    OnnxOperator{"Erf", Group::kActivation, "GELU"},
    OnnxOperator{"Tanh", Group::kActivation, "Tanh"},
    OnnxOperator{"Sigmoid", Group::kActivation, "Sigmoid"},
    OnnxOperator{"HardSigmoid", Group::kActivation, "HardSigmoid"},
    OnnxOperator{"HardSwish", Group::kActivation, "HardSwish"},
    OnnxOperator{"Swish", Group::kActivation, "SiLU"},
    OnnxOperator{"Mish", Group::kActivation, "Mish"},
    OnnxOperator{"Softplus", Group::kActivation, "Softplus"},
    // Normalization
    OnnxOperator{"LayerNormalization", Group::kNormalization, "LayerNorm", kReduces},
    OnnxOperator{"BatchNormalization", Group::kNormalization, "BatchNorm"},
    OnnxOperator{"FusedBatchNormV3", Group::kNormalization, "BatchNorm"},
    OnnxOperator{"InstanceNormalization", Group::kNormalization, "InstanceNorm", kReduces},
    OnnxOperator{"GroupNormalization", Group::kNormalization, "GroupNorm", kReduces},
    OnnxOperator{"RMSNormalization", Group::kNormalization, "RMSNorm", kReduces},
    OnnxOperator{"LpNormalization", Group::kNormalization, "LpNorm", kReduces},
    OnnxOperator{"LRN", Group::kNormalization, "LRN", kReduces},
    // Element-wise arithmetic
    OnnxOperator{"Add", Group::kArithmetic, "Add"},
    OnnxOperator{"AddV2", Group::kArithmetic, "Add"},
    OnnxOperator{"BiasAdd", Group::kArithmetic, "Add"},
    OnnxOperator{"Sub", Group::kArithmetic, "Sub"},
    OnnxOperator{"Mul", Group::kArithmetic, "Mul"},
    OnnxOperator{"Div", Group::kArithmetic, "Div"},
    OnnxOperator{"Pow", Group::kArithmetic, "Pow"},
    OnnxOperator{"Sqrt", Group::kArithmetic, "Sqrt"},
    OnnxOperator{"Reciprocal", Group::kArithmetic, "Reciprocal"},
    OnnxOperator{"Exp", Group::kArithmetic, "Exp"},
    OnnxOperator{"Log", Group::kArithmetic, "Log"},
    OnnxOperator{"Neg", Group::kArithmetic, "Neg"},
    OnnxOperator{"Abs", Group::kArithmetic, "Abs"},
    OnnxOperator{"Sin", Group::kArithmetic, "Sin"},
    OnnxOperator{"Cos", Group::kArithmetic, "Cos"},
    OnnxOperator{"Floor", Group::kArithmetic, "Floor"},
    OnnxOperator{"Ceil", Group::kArithmetic, "Ceil"},
    OnnxOperator{"Round", Group::kArithmetic, "Round"},
    OnnxOperator{"Clip", Group::kArithmetic, "Clamp"},
    OnnxOperator{"Min", Group::kArithmetic, "Minimum"},
    OnnxOperator{"Max", Group::kArithmetic, "Maximum"},
    OnnxOperator{"Sum", Group::kArithmetic, "Add"},
    OnnxOperator{"Mod", Group::kArithmetic, "Remainder"},
    OnnxOperator{"Where", Group::kArithmetic, "Where"},
    OnnxOperator{"Equal", Group::kArithmetic, "Comparison"},
    OnnxOperator{"Greater", Group::kArithmetic, "Comparison"},
    OnnxOperator{"GreaterOrEqual", Group::kArithmetic, "Comparison"},
    OnnxOperator{"Less", Group::kArithmetic, "Comparison"},
    OnnxOperator{"LessOrEqual", Group::kArithmetic, "Comparison"},
    OnnxOperator{"Not", Group::kArithmetic, "Logical"},
    OnnxOperator{"And", Group::kArithmetic, "Logical"},
    OnnxOperator{"Or", Group::kArithmetic, "Logical"},
    OnnxOperator{"Trilu", Group::kArithmetic, "Tril"},
    // Memory: what PyTorch has as views is layout here, too; a runtime's step that does nothing else is movement.
    OnnxOperator{"Reshape", Group::kMemoryLayout, "View", {}, OnnxElements::kUntouched},
    OnnxOperator{"Squeeze", Group::kMemoryLayout, "Squeeze", {}, OnnxElements::kUntouched},
    OnnxOperator{"Unsqueeze", Group::kMemoryLayout, "Unsqueeze", {}, OnnxElements::kUntouched},
    OnnxOperator{"Flatten", Group::kMemoryLayout, "Flatten", {}, OnnxElements::kUntouched},
    OnnxOperator{"Identity", Group::kMemoryLayout, "Identity", {}, OnnxElements::kUntouched},
    OnnxOperator{"Transpose", Group::kMemoryLayout, "Transpose", {}, OnnxElements::kMoved},
    OnnxOperator{"Expand", Group::kMemoryLayout, "Expand"},
    OnnxOperator{"Slice", Group::kMemoryLayout, "Slice"},
    OnnxOperator{"Split", Group::kMemoryLayout, "Split"},
    OnnxOperator{"Shape", Group::kMemoryLayout, "Shape", {}, OnnxElements::kUntouched},
    OnnxOperator{"NoOp", Group::kMemoryLayout, "Identity", {}, OnnxElements::kUntouched},
    OnnxOperator{"Dropout", Group::kMemoryLayout, "Dropout", {}, OnnxElements::kMoved},
    // What ONNX Runtime adds.
    OnnxOperator{"ReorderInput", Group::kMemoryMovement, "Reorder", {}, OnnxElements::kMoved},
    OnnxOperator{"ReorderOutput", Group::kMemoryMovement, "Reorder", {}, OnnxElements::kMoved},
    OnnxOperator{"MemcpyToHost", Group::kCommunication, "Copy", {}, OnnxElements::kMoved},
    OnnxOperator{"MemcpyFromHost", Group::kCommunication, "Copy", {}, OnnxElements::kMoved},
    OnnxOperator{"Constant", Group::kMemoryLayout, "Constant"},
    OnnxOperator{"ConstantOfShape", Group::kMemoryMovement, "Full"},
    OnnxOperator{"Range", Group::kMemoryMovement, "Arange"},
    OnnxOperator{"Concat", Group::kMemoryMovement, "Concat"},
    OnnxOperator{"ConcatV2", Group::kMemoryMovement, "Concat"},
    OnnxOperator{"Cast", Group::kMemoryMovement, "To"},
    OnnxOperator{"Gather", Group::kMemoryMovement, "Gather"},
    OnnxOperator{"GatherElements", Group::kMemoryMovement, "Gather"},
    OnnxOperator{"GatherND", Group::kMemoryMovement, "Gather"},
    OnnxOperator{"ScatterND", Group::kMemoryMovement, "Scatter"},
    OnnxOperator{"ScatterElements", Group::kMemoryMovement, "Scatter"},
    OnnxOperator{"Pad", Group::kMemoryMovement, "Pad"},
    OnnxOperator{"Tile", Group::kMemoryMovement, "Repeat"},
    OnnxOperator{"DepthToSpace", Group::kMemoryMovement, "PixelShuffle"},
    OnnxOperator{"SpaceToDepth", Group::kMemoryMovement, "PixelUnshuffle"},
    // Logit computation
    OnnxOperator{"Softmax", Group::kLogit, "Softmax", kReduces},
    OnnxOperator{"LogSoftmax", Group::kLogit, "LogSoftmax", kReduces},
    // Others
    OnnxOperator{"NonMaxSuppression", Group::kRoi, "NMS"},
    OnnxOperator{"RoiAlign", Group::kRoi, "RoIAlign"},
    OnnxOperator{"TopK", Group::kRoi, "TopK", kReduces},
    OnnxOperator{"Resize", Group::kInterpolation, "Interpolate"},
    OnnxOperator{"Upsample", Group::kInterpolation, "Interpolate"},
    OnnxOperator{"GridSample", Group::kInterpolation, "GridSample"},
    OnnxOperator{"MaxPool", Group::kPooling, "MaxPool"},
    OnnxOperator{"AveragePool", Group::kPooling, "AvgPool"},
    OnnxOperator{"GlobalAveragePool", Group::kPooling, "AvgPool", kReduces},
    OnnxOperator{"GlobalMaxPool", Group::kPooling, "MaxPool", kReduces},
    OnnxOperator{"ReduceMean", Group::kReduction, "Mean", kReduces},
    OnnxOperator{"ReduceSum", Group::kReduction, "Sum", kReduces},
    OnnxOperator{"ReduceMax", Group::kReduction, "Max", kReduces},
    OnnxOperator{"ReduceMin", Group::kReduction, "Min", kReduces},
    OnnxOperator{"ReduceProd", Group::kReduction, "Prod", kReduces},
    OnnxOperator{"ReduceL2", Group::kReduction, "Norm", kReduces},
    OnnxOperator{"ArgMax", Group::kReduction, "ArgMax", kReduces},
    OnnxOperator{"ArgMin", Group::kReduction, "ArgMin", kReduces},
    OnnxOperator{"CumSum", Group::kReduction, "CumSum", kReduces},
    OnnxOperator{"QuantizeLinear", Group::kQuantization, "Quantize"},
    OnnxOperator{"DequantizeLinear", Group::kQuantization, "Dequantize"},
    OnnxOperator{"DynamicQuantizeLinear", Group::kQuantization, "Quantize"},
    OnnxOperator{"NonZero", Group::kSynchronisation, "NonZero"},
    OnnxOperator{"If", Group::kControl, "If"},
    OnnxOperator{"Loop", Group::kControl, "Loop"},
};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

const OnnxOperator* find_onnx_operator(std::string_view name) {
  const auto* const found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const OnnxOperator& type) { return type.name == name; });
  return found == kOperators.end() ? nullptr : found;
}

const OnnxOperator* onnx_operator_in_name(std::string_view name) {
  name = name.substr(name.find_last_of("/.") + 1);  // npos + 1 is 0
  name = name.substr(0, name.find("_myl"));         // kernels of Myelin, numbered
  if (const OnnxOperator* type = find_onnx_operator(name)) return type;
  while (!name.empty() && is_digit(name.back())) name.remove_suffix(1);
  while (name.ends_with('_')) name.remove_suffix(1);
  return find_onnx_operator(name);
}

}  // namespace nongemm
