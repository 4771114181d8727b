// The table of preprocessing rules: one row a model. Facts from torchvision 0.26 (the Weights' transforms) and
// transformers 5.17 (the class attributes of the torchvision-backed image processors, AutoImageProcessor's default).
#include <cmath>

#include "data/image/preprocess.h"

namespace nongemm::data {
namespace {

constexpr std::array kImageNetMean = {0.485, 0.456, 0.406};
constexpr std::array kImageNetStd = {0.229, 0.224, 0.225};
constexpr double kByte = 1.0 / 255;

/// torchvision.transforms._presets.ImageClassification on a PIL image.
ImageTransform classification(int crop, int resize, Filter filter) {
  ImageTransform transform;
  transform.inputs = ImageInputs::kPositional;
  transform.resize = ResizeRule::kShortestEdge;
  transform.shortest = resize;
  transform.filter = filter;
  transform.arithmetic = ResizeArithmetic::kPillow;
  transform.center_crop = Size{crop, crop};
  transform.crop_rounds_to_even = true;
  transform.rescale_factor = kByte;
  transform.normalize = true;
  transform.mean = kImageNetMean;
  transform.std = kImageNetStd;
  transform.fuse_rescale = false;
  return transform;
}

/// torchvision.transforms._presets.ObjectDetection: resizing and normalising are part of the model.
ImageTransform detection() {
  ImageTransform transform;
  transform.inputs = ImageInputs::kPositionalImageList;
  transform.rescale_factor = kByte;
  transform.fuse_rescale = false;
  return transform;
}

/// What the image processors of transformers have in common.
ImageTransform hugging_face(ImageInputs inputs, std::array<double, 3> mean, std::array<double, 3> std) {
  ImageTransform transform;
  transform.inputs = inputs;
  transform.apply_orientation = true;
  transform.rescale_factor = kByte;
  transform.normalize = true;
  transform.mean = mean;
  transform.std = std;
  return transform;
}

ImageTransform exact(int side, std::array<double, 3> mean, std::array<double, 3> std) {
  ImageTransform transform = hugging_face(ImageInputs::kPixelValues, mean, std);
  transform.resize = ResizeRule::kExact;
  transform.size = {side, side};
  return transform;
}

ImageTransform shortest_to_longest(int size_divisor) {
  ImageTransform transform = hugging_face(ImageInputs::kPixelValuesAndMask, kImageNetMean, kImageNetStd);
  transform.resize = ResizeRule::kShortestToLongest;
  transform.shortest = 800;
  transform.longest = 1333;
  transform.size_divisor = size_divisor;
  transform.pad_to_largest = true;
  return transform;
}

ImageTransform vit_base() { return classification(224, 256, Filter::kBilinear); }   // ViT_B_16, IMAGENET1K_V1
ImageTransform vit_large() { return classification(224, 242, Filter::kBilinear); }  // ViT_L_16, IMAGENET1K_V1
// ViT_H_14 has no IMAGENET1K_V1; the linear SWAG weights are those for 224 pixels.
ImageTransform vit_huge() { return classification(224, 224, Filter::kBicubic); }
ImageTransform swin_tiny() { return classification(224, 232, Filter::kBicubic); }
ImageTransform swin_small() { return classification(224, 246, Filter::kBicubic); }
ImageTransform swin_base() { return classification(224, 238, Filter::kBicubic); }
ImageTransform detr() { return shortest_to_longest(1); }
ImageTransform maskformer() { return shortest_to_longest(32); }
ImageTransform segformer() { return exact(512, kImageNetMean, kImageNetStd); }
ImageTransform vit_hugging_face() { return exact(224, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}); }

struct Preset {
  std::string_view name;
  ImageTransform (*make)();
};

constexpr Preset kPresets[] = {
    // Registry models.
    {"vit-b", vit_base},
    {"vit-l", vit_large},
    {"vit-h", vit_huge},
    {"swin-t", swin_tiny},
    {"swin-s", swin_small},
    {"swin-b", swin_base},
    {"fasterrcnn", detection},
    {"maskrcnn", detection},
    {"detr", detr},
    {"maskformer", maskformer},
    {"segformer", segformer},
    // model_type of a config.json.
    {"torchvision.vision_transformer", vit_base},
    {"torchvision.swin_transformer", swin_tiny},
    {"torchvision.faster_rcnn", detection},
    {"torchvision.mask_rcnn", detection},
    {"vit", vit_hugging_face},
    // image_processor_type of a preprocessor_config.json.
    {"DetrImageProcessor", detr},
    {"MaskFormerImageProcessor", maskformer},
    {"SegformerImageProcessor", segformer},
    {"ViTImageProcessor", vit_hugging_face},
};

}  // namespace

std::optional<ImageTransform> find_image_transform(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset.make();
  }
  return std::nullopt;
}

std::vector<std::string_view> image_transform_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return names;
}

ImageTransform classification_transform(int crop, std::optional<int> resize, Filter filter) {
  return classification(crop, resize.value_or(static_cast<int>(std::lround(crop * 256.0 / 224))), filter);
}

}  // namespace nongemm::data
