#include "models/registry.h"

#include <algorithm>
#include <array>

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

void check_quantization(const Config& config) {
  if (config.count("quantization_config") == 0) return;
  const Config wanted = config.object("quantization_config");
  const bool bits_named = wanted.has("load_in_4bit") || wanted.has("load_in_8bit");
  if (bits_named && !wanted.flag("load_in_4bit", false) && !wanted.flag("load_in_8bit", false)) return;
  config.fail("quantization_config", "asks for quantized weights, which are not built in");
}

/// What is built, where the configuration names other classes of its model_type alone ("architectures").
std::string other_class(const Architecture& architecture, const Config& config) {
  const std::string original(architecture.original);
  if (original.empty() || config.count("architectures") == 0) return "";
  const std::vector<std::string> named = config.texts("architectures");
  if (named.empty() || std::find(named.begin(), named.end(), original) != named.end()) return "";
  return original + ", not " + named.front() + " as config.json has it";
}

}  // namespace

RegisteredModel find_registered(std::string_view name) {
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) {
      if (row.name == name) return {architecture, &row};
    }
  }
  return {};
}

std::vector<std::string> registered_names() {
  std::vector<std::string> names;
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) names.emplace_back(row.name);
  }
  return names;
}

const Architecture& architecture_of(const Config& config) {
  const std::string type = config.text("model_type");
  std::vector<std::string> known;
  const Architecture* found = nullptr;  // the last of a model_type, as the registry has them
  for (const Architecture* architecture : architectures()) {
    if (architecture->model_type == type) found = architecture;
    known.emplace_back(architecture->model_type);
  }
  if (found == nullptr) {
    throw Error(ErrorKind::kUnsupported, config.origin() + ": no architecture for model_type '" + type + "'",
                did_you_mean(type, known));
  }
  return *found;
}

Graph build_graph(const Architecture& architecture, const Config& config, const ModelOptions& options) {
  if (options.batch < 1) {
    throw Error(ErrorKind::kUsage, "batch " + std::to_string(options.batch) + " is not possible", "use 1 or more");
  }
  check_quantization(config);
  Graph graph = architecture.build(config, options);
  if (const std::string other = other_class(architecture, config); !other.empty()) graph.attributes["class"] = other;
  graph.attributes["batch"] = std::to_string(options.batch);
  return graph;
}

}  // namespace nongemm
