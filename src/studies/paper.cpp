#include "studies/paper.h"

#include <array>

namespace nongemm::paper {
namespace {

constexpr std::string_view kNormalization = "Normalization";
constexpr std::string_view kMemory = "Memory";
constexpr std::string_view kArithmetic = "Element-wise arithmetic";
constexpr std::string_view kActivation = "Activation";

constexpr std::array kModels = {
    ModelFigures{"vit-b", "ViT base", 307e6, kNormalization, 0.140},
    ModelFigures{"vit-l", "ViT large", 307e6, kNormalization, 0.133},
    ModelFigures{"vit-h", "ViT huge", 632e6, kNormalization, 0.112},
    ModelFigures{"swin-t", "Swin tiny", 29e6, kMemory, 0.318},
    ModelFigures{"swin-s", "Swin small", 50e6, kMemory, 0.331},
    ModelFigures{"swin-b", "Swin base", 88e6, kMemory, 0.328},
    ModelFigures{"fasterrcnn", "FasterRCNN", 42e6, kArithmetic, 0.344},
    ModelFigures{"maskrcnn", "MaskRCNN", 44e6, kArithmetic, 0.336},
    ModelFigures{"detr", "DETR", 41e6, kNormalization, 0.348},
    ModelFigures{"maskformer", "Maskformer", 102e6, kMemory, 0.408},
    ModelFigures{"segformer", "SegFormer", 3.7e6, kNormalization, 0.174},
    ModelFigures{"gpt2", "GPT2", 117e6, kActivation, 0.302},
    ModelFigures{"gpt2-large", "GPT2 Large", 762e6, kActivation, 0.299},
    ModelFigures{"gpt2-xl", "GPT2 X-Large", 1.5e9, kActivation, 0.281},
    ModelFigures{"llama2-7b", "Llama 2-7B", 7e9, kNormalization, 0.149},
    ModelFigures{"bert", "Bert", 110e6, kNormalization, 0.131},
};

constexpr std::array kFusion = {
    FusionFigures{"swin-t", 0.0875, 7.53e-3, 0.564, 0.97e-3, 0.39},
    FusionFigures{"swin-b", 0.07, 14.59e-3, 0.58, 1.65e-3, 0.3225},
    FusionFigures{"detr", 0.30, 32.17e-3, 0.664, 2.38e-3, 0.185},
    FusionFigures{"segformer", 0.27, 5.57e-3, 0.41, 2.33e-3, 0.41},
};

constexpr std::array kOperators = {
    OperatorFigures{"Activation", "ReLu", "ReLU", "DETR", 2, "[2,64,533]"},
    OperatorFigures{"Activation", "GELU", "GELU", "ViT-l16", 2, "[1, 97, 4096]"},
    OperatorFigures{"Activation", "GELU", "NewGELU", "GPT2-XL", 2, "[1, 8, 6400]"},
    OperatorFigures{"Activation", "SiLu", "SiLU", "Llama-2", 2, "[1, 10, 11008]"},
    OperatorFigures{"Normalization", "LayerNorm", "LayerNorm", "Segformer, DETR", 3, "[2, 16384, 32]"},
    OperatorFigures{"Normalization", "BatchNorm2d", "BatchNorm", "Segformer", 3, "[2, 256, 128, 128]"},
    OperatorFigures{"Normalization", "LlamaRMSNorm", "RMSNorm", "Llama", 3, "[1, 10, 4096]"},
    OperatorFigures{"Normalization", "FrozenBatchNorm2d", "FrozenBatchNorm2d", "MaskRCNN, DETR", 3,
                    "[1, 1024, 50, 68]"},
    OperatorFigures{"Element-wise arithmetic", "Add", "Add", "Segformer", 1, "[2, 16384, 32]"},
    OperatorFigures{"Element-wise arithmetic", "Mul", "Mul", "Llama-2", 1, "[1, 10, 11008]"},
    OperatorFigures{"Element-wise arithmetic", "Neg", "Neg", "Llama-2", 1, "[1, 32, 10, 64]"},
    OperatorFigures{"Element-wise arithmetic", "TrueDiv", "TrueDiv", "Segformer, GPT2-XL", 1, "[2, 1, 16384, 256]"},
    OperatorFigures{"Memory", "Contiguous", "Contiguous", "Segformer, Llama-2", 2, "[2, 32, 128, 128]"},
    OperatorFigures{"Memory", "Permute", "Permute", "ViT-b16, GPT2-XL", 2, "[1, 768, 196]"},
    OperatorFigures{"Memory", "Split", "Split", "GPT2-XL", 2, "[1, 8, 4800]"},
    OperatorFigures{"Memory", "View", "View", "GPT2-XL", 2, "[1, 8, 1600]"},
    OperatorFigures{"Memory", "Reshape", "Reshape", "ViT-b16", 2, "[1, 768, 14, 14]"},
    OperatorFigures{"Memory", "Expand", "Expand", "ViT-b16", 2, "[1, 1, 768]"},
    OperatorFigures{"Memory", "Squeeze", "Squeeze", "Llama-2", 2, "[1, 1, 10, 128]"},
    OperatorFigures{"Logit computation", "Softmax", "Softmax", "DETR, Segformer", 4, "[1, 25, 8, 8]"},
    OperatorFigures{"RoI selection", "NMS", "NMS", "MaskRCNN", 1, "[4663, 4]"},
    OperatorFigures{"Interpolation", "Interpolate", "Bilinear", "Segformer", 1, "[2, 256, 128, 128]"},
};

}  // namespace

std::span<const ModelFigures> models() { return kModels; }
std::span<const FusionFigures> fusion() { return kFusion; }
std::span<const OperatorFigures> operators() { return kOperators; }

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const ModelFigures& model : kModels) names.emplace_back(model.model);
  return names;
}

bool profiles_device_alone(std::string_view flow) { return flow == "tensorrt"; }

}  // namespace nongemm::paper
