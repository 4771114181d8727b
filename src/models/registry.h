// Models: architectures that turn a configuration into a graph, and the named models of the paper's Table I.
// To add an architecture: one file pair, one line in registry.cpp. To add a named model: one row in its architecture.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "models/config.h"
#include "spec/model_options.h"

namespace nongemm {

/// The paper's task domains (Table I), and two more.
enum class Domain : std::uint8_t {
  kImageClassification,
  kObjectDetection,
  kImageSegmentation,
  kLanguage,
  kSpeech,
  kImageGeneration
};
std::string_view title_of(Domain domain);

/// A named model of the registry.
struct ModelRow {
  std::string_view name;    // "gpt2-xl"
  std::string_view title;   // "GPT-2 XL"
  std::string_view config;  // JSON, only what differs from the architecture's defaults
  std::int64_t parameters = 0;
  std::int64_t sequence = 0;  // default tokens, 0 for vision
  std::int64_t height = 0;    // default pixels, 0 for language
  std::int64_t width = 0;
};

struct Architecture {
  std::string_view model_type;  // config.json's "model_type"; of diffusers' models "_class_name"
  Domain domain = Domain::kLanguage;
  std::string_view dataset;  // the paper's: "ImageNet", "COCO", "wikitext"
  /// The class of transformers that is built, one of several with this model_type; empty for torchvision's.
  std::string_view original = {};
  Graph (*build)(const Config& config, const ModelOptions& options) = nullptr;
  std::span<const ModelRow> models;
  /// A decoder with a cache: it can be built as the passes of a text generation (ModelOptions::pass).
  bool generates = false;
  /// Further classes with this model_type that build() tells apart by `architectures` (built_class).
  std::initializer_list<std::string_view> more_originals = {};
};

std::span<const Architecture* const> architectures();

/// Which of an architecture's classes a configuration names in `architectures`; its first class where it names none.
/// Throws Error(kUnsupported) for a class that is not built, with the nearest that is.
std::string built_class(const Architecture& architecture, const Config& config);

/// A model of the registry.
struct RegisteredModel {
  const Architecture* architecture = nullptr;
  const ModelRow* row = nullptr;
};

/// Nothing (nullptrs) for a name that is none.
RegisteredModel find_registered(std::string_view name);
std::vector<std::string> registered_names();

/// The architecture of a configuration's model_type. Throws Error(kUnsupported) with the nearest ones.
const Architecture& architecture_of(const Config& config);

/// Builds the graph; errors name the option or the configuration's key.
Graph build_graph(const Architecture& architecture, const Config& config, const ModelOptions& options);

}  // namespace nongemm
