// preprocessor_config.json, as transformers 5.17 reads it, old spellings included.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "data/preprocess.h"

namespace nongemm::data {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr int kMaxSide = 1 << 14;

/// Typed access that names the file and the key in every complaint. Keys with null count as absent, as in transformers.
class Config {
 public:
  Config(std::string file, Json values) : file_(std::move(file)), values_(std::move(values)) {}

  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: key '{}' {}", file_, key, expected));
  }

  const Json* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() || found->is_null() ? nullptr : &*found;
  }

  bool flag(std::string_view key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) refuse(key, "has to be true or false");
    return value->get<bool>();
  }

  std::string text(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) refuse(key, "has to be a string");
    return value->get<std::string>();
  }

  double number(std::string_view key, double otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) refuse(key, "has to be a number");
    return value->get<double>();
  }

  int side(const Json& value, std::string_view key) const {
    if (!value.is_number_integer() || value < 1 || value > kMaxSide) {
      refuse(key, fmt::format("has to be a size from 1 to {}", kMaxSide));
    }
    return value.get<int>();
  }

  std::array<double, 3> channels(std::string_view key, const std::array<double, 3>& otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_number()) return {value->get<double>(), value->get<double>(), value->get<double>()};
    if (!value->is_array() || value->size() != 3) refuse(key, "has to hold three numbers");
    for (const Json& element : *value) {
      if (!element.is_number()) refuse(key, "has to hold three numbers");
    }
    return value->get<std::array<double, 3>>();
  }

  /// {"height": h, "width": w}, [h, w] or one number for both.
  Size size(const Json& value, std::string_view key) const {
    if (value.is_number()) return {side(value, key), side(value, key)};
    if (value.is_array() && value.size() == 2) return {side(value[0], key), side(value[1], key)};
    if (value.is_object() && value.contains("height") && value.contains("width")) {
      return {side(value["height"], key), side(value["width"], key)};
    }
    refuse(key, "has to hold height and width");
  }

 private:
  std::string file_;
  Json values_;
};

Config open_config(const std::filesystem::path& path) {
  Json values = Json::parse(read_file(path, kMaxBytes), nullptr, false);
  if (!values.is_object()) throw Error(ErrorKind::kBadInput, path.string() + ": not a JSON object");
  return {path.string(), std::move(values)};
}

/// The class, in the spelling of today: DetrFeatureExtractor and DetrImageProcessorFast are DetrImageProcessor.
std::string class_name(const Config& config) {
  std::string name = config.text("image_processor_type");
  if (name.empty()) name = config.text("feature_extractor_type");
  for (std::string_view ending : {"Fast", "Pil"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  constexpr std::string_view kOld = "FeatureExtractor";
  if (name.ends_with(kOld)) name.replace(name.size() - kOld.size(), kOld.size(), "ImageProcessor");
  return name;
}

void read_size(const Config& config, ImageTransform& transform) {
  const Json* max_size = config.find("max_size");
  if (max_size != nullptr) transform.longest = config.side(*max_size, "max_size");
  const Json* value = config.find("size");
  if (value == nullptr) return;
  const auto has = [&](const char* key) { return value->is_object() && value->contains(key); };
  const auto side = [&](const char* key) { return config.side((*value)[key], std::string("size.") + key); };

  const bool keeps_ratio =
      transform.resize == ResizeRule::kShortestEdge || transform.resize == ResizeRule::kShortestToLongest;
  if (has("shortest_edge")) {
    transform.shortest = side("shortest_edge");
    transform.resize = has("longest_edge") ? ResizeRule::kShortestToLongest : ResizeRule::kShortestEdge;
    if (has("longest_edge")) transform.longest = side("longest_edge");
  } else if (has("max_height") && has("max_width")) {
    transform.size = {side("max_height"), side("max_width")};
    transform.resize = ResizeRule::kWithin;
  } else if (value->is_number() && keeps_ratio) {
    transform.shortest = config.side(*value, "size");
  } else {
    transform.size = config.size(*value, "size");
    transform.resize = ResizeRule::kExact;
  }
}

void read_resize(const Config& config, ImageTransform& transform) {
  read_size(config, transform);
  if (!config.flag("do_resize", transform.resize != ResizeRule::kKeep)) transform.resize = ResizeRule::kKeep;
  if (const Json* divisor = config.find("size_divisor")) transform.size_divisor = config.side(*divisor, "size_divisor");
  if (const Json* code = config.find("resample")) {
    const auto filter = code->is_number_integer() ? filter_from_pil(code->get<int>()) : std::nullopt;
    if (!filter) config.refuse("resample", "has to be 1 (lanczos), 2 (bilinear) or 3 (bicubic)");
    transform.filter = *filter;
  }
}

void read_crop(const Config& config, ImageTransform& transform) {
  const Json* size = config.find("crop_size");
  if (size != nullptr) transform.center_crop = config.size(*size, "crop_size");
  if (!config.flag("do_center_crop", false)) transform.center_crop.reset();
}

void read_values(const Config& config, ImageTransform& transform) {
  const double factor = config.number("rescale_factor", transform.rescale_factor.value_or(1.0 / 255));
  if (!(factor > 0)) config.refuse("rescale_factor", "has to be above 0");
  transform.rescale_factor = factor;
  if (!config.flag("do_rescale", true)) transform.rescale_factor.reset();
  transform.normalize = config.flag("do_normalize", transform.normalize);
  transform.mean = config.channels("image_mean", transform.mean);
  transform.std = config.channels("image_std", transform.std);
  for (double value : transform.std) {
    if (!(value > 0)) config.refuse("image_std", "has to be above 0");
  }
}

void read_padding(const Config& config, ImageTransform& transform) {
  if (const Json* size = config.find("pad_size")) transform.pad_size = config.size(*size, "pad_size");
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
  const Config config = open_config(path);
  ImageTransform transform = find_image_transform(class_name(config)).value_or(fallback);
  read_resize(config, transform);
  read_crop(config, transform);
  read_values(config, transform);
  read_padding(config, transform);
  return transform;
}

}  // namespace nongemm::data
