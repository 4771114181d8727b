// preprocessor_config.json, as transformers 5.17 reads it, old spellings included.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_object.h"
#include "data/image/preprocess.h"

namespace nongemm::data {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr int kMaxSide = 1 << 14;

int side(const JsonObject& config, const Json& value, std::string_view key) {
  if (!value.is_number_integer() || value < 1 || value > kMaxSide) {
    config.fail(key, fmt::format("has to be a size from 1 to {}", kMaxSide));
  }
  return value.get<int>();
}

/// {"height": h, "width": w}, [h, w] or one number for both.
Size size_of(const JsonObject& config, const Json& value, std::string_view key) {
  if (value.is_number()) return {side(config, value, key), side(config, value, key)};
  if (value.is_array() && value.size() == 2) return {side(config, value[0], key), side(config, value[1], key)};
  if (value.is_object() && value.contains("height") && value.contains("width")) {
    return {side(config, value["height"], key), side(config, value["width"], key)};
  }
  config.fail(key, "has to hold height and width");
}

/// Three numbers, or one for all channels.
std::array<double, 3> channels(const JsonObject& config, std::string_view key, const std::array<double, 3>& otherwise) {
  const Json* value = config.find(key);
  if (value == nullptr) return otherwise;
  if (value->is_number()) return {value->get<double>(), value->get<double>(), value->get<double>()};
  const bool fits = value->is_array() && value->size() == 3 &&
                    std::all_of(value->begin(), value->end(), [](const Json& element) { return element.is_number(); });
  if (!fits) config.fail(key, "has to hold three numbers");
  return value->get<std::array<double, 3>>();
}

/// The class, in the spelling of today: DetrFeatureExtractor and DetrImageProcessorFast are DetrImageProcessor.
std::string class_name(const JsonObject& config) {
  std::string name = config.text("image_processor_type", "");
  if (name.empty()) name = config.text("feature_extractor_type", "");
  for (std::string_view ending : {"Fast", "Pil"}) {
    if (name.ends_with(ending)) name.erase(name.size() - ending.size());
  }
  constexpr std::string_view kOld = "FeatureExtractor";
  if (name.ends_with(kOld)) name.replace(name.size() - kOld.size(), kOld.size(), "ImageProcessor");
  return name;
}

void read_size(const JsonObject& config, ImageTransform& transform) {
  const Json* max_size = config.find("max_size");
  if (max_size != nullptr) transform.longest = side(config, *max_size, "max_size");
  const Json* value = config.find("size");
  if (value == nullptr) return;
  const auto has = [&](const char* key) { return value->is_object() && value->contains(key); };
  const auto edge = [&](const char* key) { return side(config, (*value)[key], std::string("size.") + key); };

  const bool keeps_ratio =
      transform.resize == ResizeRule::kShortestEdge || transform.resize == ResizeRule::kShortestToLongest;
  if (has("shortest_edge")) {
    transform.shortest = edge("shortest_edge");
    transform.resize = has("longest_edge") ? ResizeRule::kShortestToLongest : ResizeRule::kShortestEdge;
    if (has("longest_edge")) transform.longest = edge("longest_edge");
  } else if (has("max_height") && has("max_width")) {
    transform.size = {edge("max_height"), edge("max_width")};
    transform.resize = ResizeRule::kWithin;
  } else if (value->is_number() && keeps_ratio) {
    transform.shortest = side(config, *value, "size");
  } else {
    transform.size = size_of(config, *value, "size");
    transform.resize = ResizeRule::kExact;
  }
}

void read_resize(const JsonObject& config, ImageTransform& transform) {
  read_size(config, transform);
  if (!config.flag("do_resize", transform.resize != ResizeRule::kKeep)) transform.resize = ResizeRule::kKeep;
  if (const Json* divisor = config.find("size_divisor"))
    transform.size_divisor = side(config, *divisor, "size_divisor");
  if (const Json* code = config.find("resample")) {
    const auto filter = code->is_number_integer() ? filter_from_pil(code->get<int>()) : std::nullopt;
    if (!filter) config.fail("resample", "has to be 1 (lanczos), 2 (bilinear) or 3 (bicubic)");
    transform.filter = *filter;
  }
}

void read_crop(const JsonObject& config, ImageTransform& transform) {
  const Json* size = config.find("crop_size");
  if (size != nullptr) transform.center_crop = size_of(config, *size, "crop_size");
  if (!config.flag("do_center_crop", false)) transform.center_crop.reset();
}

void read_values(const JsonObject& config, ImageTransform& transform) {
  const double factor = config.number("rescale_factor", transform.rescale_factor.value_or(1.0 / 255));
  if (!(factor > 0)) config.fail("rescale_factor", "has to be above 0");
  transform.rescale_factor = factor;
  if (!config.flag("do_rescale", true)) transform.rescale_factor.reset();
  transform.normalize = config.flag("do_normalize", transform.normalize);
  transform.mean = channels(config, "image_mean", transform.mean);
  transform.std = channels(config, "image_std", transform.std);
  for (double value : transform.std) {
    if (!(value > 0)) config.fail("image_std", "has to be above 0");
  }
}

void read_padding(const JsonObject& config, ImageTransform& transform) {
  if (const Json* size = config.find("pad_size")) transform.pad_size = size_of(config, *size, "pad_size");
  const bool pads = config.flag("do_pad", config.flag("pad_and_return_pixel_mask", transform.pad_to_largest));
  // MaskFormer pads and returns the mask always; DETR drops both with do_pad = false.
  if (!pads && transform.size_divisor == 1) {
    transform.pad_to_largest = false;
    transform.pad_size.reset();
    transform.inputs = ImageInputs::kPixelValues;
  }
}

}  // namespace

ImageTransform read_preprocessor_config(const std::filesystem::path& path, const ImageTransform& fallback) {
  const JsonObject config(path, kMaxBytes);
  ImageTransform transform = find_image_transform(class_name(config)).value_or(fallback);
  read_resize(config, transform);
  read_crop(config, transform);
  read_values(config, transform);
  read_padding(config, transform);
  return transform;
}

}  // namespace nongemm::data
