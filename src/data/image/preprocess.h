// From decoded images to a model's inputs, by the rules of the libraries the models come from.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "data/image/image.h"
#include "data/image/resize.h"

namespace nongemm::data {

struct Size {
  int height = 0;
  int width = 0;
  bool operator==(const Size&) const = default;
};

enum class ResizeRule : std::uint8_t {
  kKeep,               // no resize
  kExact,              // to size, whatever the aspect ratio
  kShortestEdge,       // the shorter side becomes `shortest`; the longer one follows, rounded down
  kShortestToLongest,  // the same, but made smaller where the longer side would exceed `longest` (DETR)
  kWithin,             // as large as fits in size
};

/// How the inputs are called and shaped.
enum class ImageInputs : std::uint8_t {
  kPixelValues,          // pixel_values [n, 3, h, w]
  kPixelValuesAndMask,   // the same and pixel_mask [n, h, w], int64, 1 where the image is
  kPositional,           // torchvision: "0" [n, 3, h, w]
  kPositionalImageList,  // torchvision detection: "0.0", "0.1", ... [3, h, w], a size each
};

/// One model's rules. Values are exact to the last bit of the originals' arithmetic unless a comment says otherwise.
struct ImageTransform {
  ImageInputs inputs = ImageInputs::kPixelValues;
  /// Turn images as their EXIF data says: transformers.image_utils.load_image does, torchvision's pipelines do not.
  bool apply_orientation = false;

  ResizeRule resize = ResizeRule::kKeep;
  Size size = {};
  int shortest = 0;
  int longest = 0;
  int size_divisor = 1;  // resized sides are rounded up to multiples (MaskFormer)
  Filter filter = Filter::kBilinear;
  ResizeArithmetic arithmetic = ResizeArithmetic::kTorchUint8;

  std::optional<Size> center_crop;
  /// Where the margin is odd: torchvision rounds half to even, transformers rounds down.
  bool crop_rounds_to_even = false;

  std::optional<double> rescale_factor;  // pixel = byte * factor
  bool normalize = false;                // pixel = (pixel - mean) / std
  std::array<double, 3> mean = {};
  std::array<double, 3> std = {1, 1, 1};
  /// transformers multiplies mean and std by 1/factor instead of the pixels by factor: differs in the last bit.
  bool fuse_rescale = true;

  bool pad_to_largest = false;   // images of a batch get the largest height and width, zeros right and below
  std::optional<Size> pad_size;  // or this fixed size
};

/// The rules of a registry model ("vit-b", "detr", ...), of an image processor class ("SegformerImageProcessor") or of
/// an architecture ("maskformer"). nullopt for models without images.
std::optional<ImageTransform> find_image_transform(std::string_view name);
/// Every name that find_image_transform knows, in order.
std::vector<std::string_view> image_transform_names();

/// A torchvision classification preset for another image size: resize in the proportion 256 : 224, then crop.
ImageTransform classification_transform(int crop, std::optional<int> resize = {}, Filter filter = Filter::kBilinear);

/// The rules in a checkpoint's preprocessor_config.json; what it leaves out comes from its class's defaults, or from
/// `fallback` where it names no class that is known here. Throws Error(kBadInput) naming the file and the key.
ImageTransform read_preprocessor_config(const std::filesystem::path& path, const ImageTransform& fallback);

/// Size after the transform's resize, before crop and padding.
Size resized_size(const ImageTransform& transform, Size original);

/// Resizes and crops. Throws Error(kBadInput) for sizes that cannot be.
Image resize_and_crop(const ImageTransform& transform, const Image& image);

/// Normalises, pads and batches images that went through resize_and_crop.
/// Throws Error(kBadInput) when images of different sizes meet in a model that does not pad.
NamedTensors collate(const ImageTransform& transform, std::span<const Image> images);

}  // namespace nongemm::data
