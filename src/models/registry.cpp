#include "models/registry.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "models/architectures.h"

namespace nongemm {

std::span<const Architecture* const> architectures() {
  static const std::array kAll = {
      &gpt2_architecture(),        &bert_architecture(),
      &llama_architecture(),       &detr_architecture(),
      &maskformer_architecture(),  &segformer_architecture(),
      &swin_architecture(),        &vit_architecture(),
      &faster_rcnn_architecture(), &mask_rcnn_architecture(),
      &gemma2_architecture(),      &gemma3_architecture(),
      &mistral_architecture(),     &phi3_architecture(),
      &qwen2_architecture(),       &qwen3_architecture(),
      &electra_architecture(),     &roberta_architecture(),
      &xlm_roberta_architecture(), &mixtral_architecture(),
      &qwen3_moe_architecture(),   &gpt_oss_architecture(),
      &mpnet_architecture(),       &modernbert_architecture(),
      &t5_architecture(),          &hf_vit_architecture(),
      &clip_vision_architecture(), &siglip_vision_architecture(),
      &dinov2_architecture(),      &hf_resnet_architecture(),
      &convnext_architecture(),    &whisper_architecture(),
      &unet_architecture(),        &flux_architecture(),
  };
  return kAll;
}

std::string built_class(const Architecture& architecture, const Config& config) {
  if (architecture.original.empty() || config.count("architectures") == 0) return std::string(architecture.original);
  std::vector<std::string> built = {std::string(architecture.original)};
  built.insert(built.end(), architecture.more_originals.begin(), architecture.more_originals.end());
  const std::vector<std::string> named = config.texts("architectures");
  for (const std::string& name : named) {
    if (std::find(built.begin(), built.end(), name) != built.end()) return name;
  }
  throw Error(ErrorKind::kUnsupported,
              config.origin() + ": key 'architectures' names " + named.front() + ", which is not built in",
              did_you_mean(named.front(), built) + "; write the class to build into 'architectures'");
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
    case Domain::kSpeech:
      return "Speech";
    case Domain::kImageGeneration:
      return "Image Generation";
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

namespace {

/// "ForCausalLM" of "DeepseekV3ForCausalLM"; empty for a class without a head.
std::string_view task_of(std::string_view name) {
  const std::size_t at = name.rfind("For");
  return at == std::string_view::npos ? std::string_view() : name.substr(at);
}

/// Nearest are those that do the same, by the class that `architectures` names.
[[noreturn]] void fail_unknown(const Config& config, const char* key, const std::string& type) {
  std::string named;
  if (config.count("architectures") > 0) named = config.texts("architectures").front();
  std::vector<std::string> known;
  std::vector<std::string> alike;
  for (const Architecture* architecture : architectures()) {
    known.emplace_back(architecture->model_type);
    const bool same = !task_of(named).empty() && task_of(architecture->original) == task_of(named);
    if (same) alike.emplace_back(architecture->model_type);
  }
  const std::string near = did_you_mean(type, alike.empty() ? known : alike);
  throw Error(
      ErrorKind::kUnsupported,
      config.origin() + ": no architecture for " + key + " '" + type + "'" + (named.empty() ? "" : " (" + named + ")"),
      near + (near.ends_with('?') ? "" : ".") + " Any other model runs as a file: torch.export writes a .pt2 of it");
}

/// What a graph is specialised to, for reports. A builder that knows better has said so.
void describe_sizes(Graph& graph) {
  using Content = InputKind::Content;
  for (const Input& input : graph.inputs) {
    const Shape& shape = graph.values[input.value].type.shape;
    const std::size_t rank = shape.size();
    const auto say = [&](const char* what, std::int64_t size) {
      graph.attributes.try_emplace(what, std::to_string(size));
    };
    const Content content = input.kind.content;
    if (content == Content::kTokens && rank == 2) say("sequence", shape[1]);
    const bool of_pixels = (content == Content::kPixels && rank == 4) || (content == Content::kImage && rank == 3);
    if (!of_pixels) continue;
    say("height", shape[rank - 2]);
    say("width", shape[rank - 1]);
  }
}

}  // namespace

const Architecture& architecture_of(const Config& config) {
  const bool diffusers = !config.has("model_type") && config.has("_class_name");
  const char* key = diffusers ? "_class_name" : "model_type";
  const std::string type = config.text(key);
  const Architecture* found = nullptr;  // the last of a model_type, as the registry has them
  for (const Architecture* architecture : architectures()) {
    if (architecture->model_type == type) found = architecture;
  }
  if (found == nullptr) fail_unknown(config, key, type);
  return *found;
}

Graph build_graph(const Architecture& architecture, const Config& config, const ModelOptions& options) {
  if (options.batch < 1) {
    throw Error(ErrorKind::kUsage, "batch " + std::to_string(options.batch) + " is not possible", "use 1 or more");
  }
  check_quantization(config);
  const std::string built = built_class(architecture, config);
  Graph graph = architecture.build(config, options);
  if (architecture.more_originals.size() > 0) graph.attributes["class"] = built;
  graph.attributes["batch"] = std::to_string(options.batch);
  describe_sizes(graph);
  return graph;
}

}  // namespace nongemm
