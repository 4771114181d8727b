#include "data/image/image_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"

namespace nongemm::data {
namespace {

namespace fs = std::filesystem;

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::optional<ImageList> one_image(const fs::path& path) {
  if (!is_file(path) || !is_image_name(path)) return std::nullopt;
  return ImageList{"image", {path}, 0};
}

/// Takes images[].file_name out of an annotation file without keeping the rest: COCO's have hundreds of megabytes.
class FileNames : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit FileNames(std::vector<std::string>& names) : names_(names) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool string(string_t& value) override {
    if (in_images_ && depth_ == 3 && key_ == "file_name") names_.push_back(value);
    return true;
  }
  bool key(string_t& value) override {
    if (depth_ == 1) in_images_ = value == "images";
    key_ = value;
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return depth_-- > 0; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_array() override { return depth_-- > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  std::vector<std::string>& names_;
  std::string key_;
  int depth_ = 0;
  bool in_images_ = false;
};

std::vector<std::string> file_names_in(const fs::path& annotations) {
  std::ifstream stream(annotations, std::ios::binary);
  if (!stream) throw Error(ErrorKind::kIo, annotations.string() + ": cannot be opened");
  std::vector<std::string> names;
  FileNames reader(names);
  if (!nlohmann::json::sax_parse(stream, &reader)) {
    throw Error(ErrorKind::kBadInput, annotations.string() + ": damaged JSON",
                "Repair or remove the annotation file; a folder without annotations/ is read image by image.");
  }
  return names;
}

/// Where images of "instances_val2017.json" may lie.
std::vector<fs::path> image_folders(const fs::path& root, const fs::path& annotations) {
  const std::string stem = annotations.stem().string();
  const std::string split = stem.substr(stem.find('_') + 1);
  return {root / split, root / "images" / split, root / "images", root};
}

/// Names come from a file: nothing outside of the folder is opened.
bool stays_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() &&
         std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

std::vector<fs::path> annotation_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, ignored)) {
    if (entry.path().extension() == ".json" && is_file(entry.path())) files.push_back(entry.path());
  }
  // The validation split first: that is what models are run on.
  const auto order = [](const fs::path& path) {
    const std::string name = path.filename().string();
    const bool instances = name.starts_with("instances_");
    return std::tuple(!(instances && name.find("val") != std::string::npos), !instances, name);
  };
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) { return order(a) < order(b); });
  return files;
}

std::optional<ImageList> coco_folder(const fs::path& root) {
  if (!is_folder(root / "annotations")) return std::nullopt;
  const std::vector<fs::path> files = annotation_files(root / "annotations");
  if (files.empty()) return std::nullopt;
  std::size_t named = 0;
  for (const fs::path& annotations : files) {
    ImageList list = {"COCO folder", {}, 0};
    const std::vector<fs::path> folders = image_folders(root, annotations);
    for (const std::string& name : file_names_in(annotations)) {
      ++named;
      const auto holds = [&](const fs::path& folder) { return stays_inside(name) && is_file(folder / name); };
      const auto found = std::find_if(folders.begin(), folders.end(), holds);
      found != folders.end() ? list.images.push_back(*found / name) : void(++list.missing);
    }
    if (!list.images.empty()) return list;
  }
  throw Error(ErrorKind::kBadInput,
              fmt::format("{}: annotations name {} images, none of them is there", root.string(), named),
              "Expected the images in a folder named after the split (val2017), in images/ or beside annotations/.");
}

std::optional<ImageList> image_folder(const fs::path& root) {
  if (!is_folder(root)) return std::nullopt;
  ImageList list = {"image folder", {}, 0};
  std::error_code error;
  fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (is_image_name(entry->path()) && is_file(entry->path())) list.images.push_back(entry->path());
  }
  std::sort(list.images.begin(), list.images.end());
  return list;
}

constexpr std::optional<ImageList> (*kKinds[])(const fs::path&) = {one_image, coco_folder, image_folder};

}  // namespace

ImageList list_images(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw Error(ErrorKind::kIo, path.string() + ": no such file or folder");
  for (const auto& kind : kKinds) {
    if (auto list = kind(path); list && !list->images.empty()) return *std::move(list);
  }
  throw Error(ErrorKind::kBadInput, path.string() + ": no images (.jpg, .jpeg, .png)",
              "Expected an image, a folder of images (in subfolders or not), or a COCO folder with annotations/.");
}

}  // namespace nongemm::data
