#include "prepare/model.h"

#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "passes/fuse/fuse.h"
#include "passes/quantize.h"
#include "passes/stored_weights.h"
#include "passes/tensor_parallel/tensor_parallel.h"
#include "prepare/outlier_columns.h"
#include "prepare/routing.h"
#include "prepare/stored_format.h"

namespace nongemm {
namespace {

Model open_folder(const std::string& folder) {
  Model model;
  model.folder = folder;
  model.name = std::filesystem::path(folder).lexically_normal().filename().string();
  if (model.name.empty()) model.name = std::filesystem::path(folder).parent_path().filename().string();
  model.config = Config::read_file((std::filesystem::path(folder) / "config.json").string());
  model.architecture = &architecture_of(model.config);
  return model;
}

Model open_file(const std::filesystem::path& path) {
  Model model;
  model.name = path.stem().string();
  model.folder = path.parent_path().string();
  model.file = open_model_file(path);
  return model;
}

Graph build_from_file(const Model& model, const ModelOptions& options) {
  ImportOptions import;
  import.inputs = options.inputs;
  if (options.batch_given) import.batch = options.batch;
  return model.file->build(import);
}

/// What can be done with a file that is there and no model.
std::string use_of(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (path.filename() == "config.json") {
    const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
    return "name the folder that it is in: " + folder;
  }
  if (extension == ".json") return "a report is read by: nongemm report " + path.string();
  if (extension == ".toml") return "a plan is run by: nongemm run " + path.string();
  for (const char* of_weights : {".safetensors", ".bin", ".pth", ".pt"}) {
    if (extension == of_weights) {
      return "a checkpoint is half a model: name the folder with its config.json, or a model with --weights " +
             path.string();
    }
  }
  return "models are names (nongemm list models), folders with a config.json, .pt2 and .onnx files";
}

Graph build_as_published(const Model& model, const ModelOptions& options) {
  if (model.file != nullptr) return build_from_file(model, options);
  ModelOptions filled = options;
  if (model.row != nullptr) {
    if (!filled.sequence && model.row->sequence > 0) filled.sequence = model.row->sequence;
    if (!filled.height && model.row->height > 0) filled.height = model.row->height;
    if (!filled.width && model.row->width > 0) filled.width = model.row->width;
  }
  // Of quantized weights the model is built as if they were not; use_stored() puts them in their place.
  Graph graph = build_graph(*model.architecture, without_quantization(model.config), filled);
  graph.name = model.name;
  return graph;
}

/// With what options decide about its routers and its weights.
Graph build_unquantized(const Model& model, const ModelOptions& options) {
  Graph graph = build_as_published(model, options);
  set_routing(graph, options.routing);
  set_outlier_columns(graph, options.outlier_columns);
  return graph;
}

Graph build_unfused(const Model& model, const ModelOptions& options) {
  Graph graph = build_unquantized(model, options);
  const auto stored = model.file == nullptr ? stored_weights_of(model.config) : std::nullopt;
  return stored ? passes::use_stored(graph, *stored, options.quantize)
                : passes::quantize(std::move(graph), options.quantize);
}

}  // namespace

Model find_model(const std::string& name_or_path) {
  if (const RegisteredModel found = find_registered(name_or_path); found.row != nullptr) {
    Model model;
    model.name = name_or_path;
    model.architecture = found.architecture;
    model.row = found.row;
    model.config = Config::parse(found.row->config, name_or_path);
    return model;
  }
  if (is_model_file(name_or_path)) return open_file(name_or_path);
  std::error_code ignored;
  if (std::filesystem::is_directory(name_or_path, ignored)) return open_folder(name_or_path);
  if (std::filesystem::exists(name_or_path, ignored)) {
    throw Error(ErrorKind::kUsage, "'" + name_or_path + "' is no model", use_of(name_or_path));
  }
  throw Error(ErrorKind::kUsage, "unknown model '" + name_or_path + "'",
              did_you_mean(name_or_path, registered_names()) +
                  "\n  a folder with a config.json of a known architecture is a model, too, and so is a .pt2 or .onnx "
                  "file");
}

Graph build_graph(const Model& model, const ModelOptions& options) {
  return passes::fuse(build_unfused(model, options), options.fuse);
}

Graph build_graph(const Model& model, const ModelOptions& options, const passes::InputSteps& steps) {
  Graph graph = build_unquantized(model, options);
  return passes::fuse(passes::quantize(graph, options.quantize, steps), options.fuse);
}

Graph build_graph(const Model& model, const ModelOptions& options, const RankPlace& place) {
  const std::string_view architecture = model.architecture != nullptr ? model.architecture->model_type : "";
  // After the cut, which knows models by their operators.
  return passes::fuse(passes::tensor_parallel(build_unfused(model, options), place, architecture), options.fuse);
}

}  // namespace nongemm
