#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/source.h"

namespace nongemm::data {
namespace {

namespace fs = std::filesystem;

std::optional<ImageTransform> image_transform(const InputRequest& request) {
  std::optional<ImageTransform> transform;
  for (const std::string& name : request.names) {
    if (!transform) transform = find_image_transform(name);
  }
  if (!transform) return std::nullopt;
  const bool other_size = request.image_size && transform->center_crop &&
                          !(*transform->center_crop == Size{*request.image_size, *request.image_size});
  if (other_size) transform = classification_transform(*request.image_size, std::nullopt, transform->filter);
  std::error_code ignored;
  const fs::path config = request.folder / "preprocessor_config.json";
  if (!request.folder.empty() && fs::exists(config, ignored)) return read_preprocessor_config(config, *transform);
  return transform;
}

}  // namespace

InputSpec make_input_spec(const InputRequest& given) {
  InputRequest request = given;
  std::error_code ignored;
  if (fs::is_regular_file(request.folder, ignored)) request.folder = fs::absolute(request.folder).parent_path();
  InputSpec spec;
  spec.image = image_transform(request);
  if (spec.image) return spec;
  if (request.folder.empty()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: text needs the model's tokenizer", request.names.empty() ? "" : request.names.front()),
                "Give the checkpoint's folder with --weights.");
  }
  spec.tokenizer = open_tokenizer(request.folder);
  spec.sequence = request.sequence;
  spec.token_types = std::find(request.names.begin(), request.names.end(), "bert") != request.names.end();
  return spec;
}

std::unique_ptr<Source> open_data(const fs::path& path, const InputSpec& spec) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw Error(ErrorKind::kIo, path.string() + ": no such file or folder");
  return spec.image ? open_images(path, spec) : open_text(path, spec);
}

}  // namespace nongemm::data
