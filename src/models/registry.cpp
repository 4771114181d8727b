#include "models/registry.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "models/architectures.h"

namespace nongemm {

std::span<const Architecture* const> architectures() {
  static const std::array kAll = {
      &gpt2_architecture(),        &bert_architecture(),      &llama_architecture(), &detr_architecture(),
      &maskformer_architecture(),  &segformer_architecture(), &swin_architecture(),  &vit_architecture(),
      &faster_rcnn_architecture(), &mask_rcnn_architecture(),
  };
  return kAll;
}

std::string_view title_of(Domain domain) {
  switch (domain) {
    case Domain::kImageClassification:
      return "Image Classification";
    case Domain::kObjectDetection:
      return "Object Detection";
    case Domain::kImageSegmentation:
      return "Image Segmentation";
    case Domain::kLanguage:
      return "NLP";
  }
  return "";
}

namespace {

Model open_folder(const std::string& folder) {
  Model model;
  model.folder = folder;
  model.name = std::filesystem::path(folder).lexically_normal().filename().string();
  if (model.name.empty()) model.name = std::filesystem::path(folder).parent_path().filename().string();
  model.config = Config::read_file((std::filesystem::path(folder) / "config.json").string());
  const std::string type = model.config.text("model_type");
  std::vector<std::string> known;
  for (const Architecture* architecture : architectures()) {
    if (architecture->model_type == type) model.architecture = architecture;
    known.emplace_back(architecture->model_type);
  }
  if (model.architecture == nullptr) {
    throw Error(ErrorKind::kUnsupported, model.config.origin() + ": no architecture for model_type '" + type + "'",
                did_you_mean(type, known));
  }
  return model;
}

Model open_file(const std::filesystem::path& path) {
  Model model;
  model.name = path.stem().string();
  model.folder = path.parent_path().string();
  model.file = open_model_file(path);
  return model;
}

void check_quantization(const Config& config) {
  if (config.count("quantization_config") == 0) return;
  const Config wanted = config.object("quantization_config");
  const bool bits_named = wanted.has("load_in_4bit") || wanted.has("load_in_8bit");
  if (bits_named && !wanted.flag("load_in_4bit", false) && !wanted.flag("load_in_8bit", false)) return;
  config.fail("quantization_config", "asks for quantized weights, which are not built in");
}

/// What is built, where the configuration names other classes of its model_type alone ("architectures").
std::string other_class(const Model& model) {
  const std::string original(model.architecture->original);
  if (original.empty() || model.config.count("architectures") == 0) return "";
  const std::vector<std::string> named = model.config.texts("architectures");
  if (named.empty() || std::find(named.begin(), named.end(), original) != named.end()) return "";
  return original + ", not " + named.front() + " as config.json has it";
}

Graph build_from_file(const Model& model, const ModelOptions& options) {
  ImportOptions import;
  import.inputs = options.inputs;
  if (options.batch_given) import.batch = options.batch;
  return model.file->build(import);
}

}  // namespace

Model find_model(const std::string& name_or_path) {
  std::vector<std::string> known;
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) {
      if (row.name == name_or_path) {
        Model model;
        model.name = name_or_path;
        model.architecture = architecture;
        model.row = &row;
        model.config = Config::parse(row.config, name_or_path);
        return model;
      }
      known.emplace_back(row.name);
    }
  }
  if (is_model_file(name_or_path)) return open_file(name_or_path);
  std::error_code ignored;
  if (std::filesystem::is_directory(name_or_path, ignored)) return open_folder(name_or_path);
  throw Error(ErrorKind::kUsage, "unknown model '" + name_or_path + "'",
              did_you_mean(name_or_path, known) +
                  "\n  a folder with a config.json of a known architecture is a model, too, and so is a .pt2 or .onnx "
                  "file");
}

Graph build_graph(const Model& model, const ModelOptions& options) {
  if (model.file != nullptr) return build_from_file(model, options);
  ModelOptions filled = options;
  if (model.row != nullptr) {
    if (!filled.sequence && model.row->sequence > 0) filled.sequence = model.row->sequence;
    if (!filled.height && model.row->height > 0) filled.height = model.row->height;
    if (!filled.width && model.row->width > 0) filled.width = model.row->width;
  }
  if (filled.batch < 1) {
    throw Error(ErrorKind::kUsage, "batch " + std::to_string(filled.batch) + " is not possible", "use 1 or more");
  }
  check_quantization(model.config);
  Graph graph = model.architecture->build(model.config, filled);
  graph.name = model.name;
  if (const std::string other = other_class(model); !other.empty()) graph.attributes["class"] = other;
  graph.attributes["batch"] = std::to_string(filled.batch);
  return graph;
}

}  // namespace nongemm
