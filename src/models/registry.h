// Models: architectures that turn a configuration into a graph, and the named models of the paper's Table I.
// To add an architecture: one file pair, one line in registry.cpp. To add a named model: one row in its architecture.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"
#include "import/model_file.h"
#include "models/config.h"

namespace nongemm {

enum class Attention : std::uint8_t {
  kDefault,  // what the original does in inference
  kSdpa,     // scaled_dot_product_attention
  kEager,    // matmul, softmax, matmul
};

/// How the original was called with an attention mask, which decides the mask operators it dispatches.
enum class Padding : std::uint8_t {
  kFull,    // a mask of ones
  kNone,    // no mask
  kPadded,  // a mask with zeros
};

/// What a graph is specialised to. Fields that do not apply to an architecture are ignored.
struct ModelOptions {
  std::int64_t batch = 1;
  /// Not the default: a model file without it keeps the batch that it was exported with.
  bool batch_given = false;
  /// Tokens per sample; the registry's default when absent.
  std::optional<std::int64_t> sequence = std::nullopt;
  /// The sequence is the length of given inputs: refuse it only where the original would.
  bool sequence_from_inputs = false;
  /// Input pixels; the registry's default when absent.
  std::optional<std::int64_t> height = std::nullopt;
  std::optional<std::int64_t> width = std::nullopt;
  DType dtype = DType::kFloat32;
  Attention attention = Attention::kDefault;
  Padding padding = Padding::kFull;
  /// The pixel mask [batch, height, width], where it is known: at the resolution of features it may hide nothing.
  HostTensor pixel_mask = {};
  /// Graph inputs beyond the usual ones ("token_type_ids"), when the caller has them.
  std::vector<std::string> extra_inputs = {};
  /// Images of different sizes in one batch (R-CNN takes a list): {height, width} each; overrides batch, height, width.
  std::vector<std::pair<std::int64_t, std::int64_t>> image_sizes = {};
  /// Detections kept per image (box_detections_per_img of R-CNN); the configuration's when absent.
  std::optional<std::int64_t> detections = std::nullopt;
  /// Shapes of a model file's inputs.
  std::vector<InputBinding> inputs = {};
  /// Some originals choose operators by device ("cpu" or "cuda").
  std::string device = "cpu";
};

/// The paper's task domains (Table I).
enum class Domain : std::uint8_t { kImageClassification, kObjectDetection, kImageSegmentation, kLanguage };
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
  std::string_view model_type;  // config.json's "model_type"
  Domain domain = Domain::kLanguage;
  std::string_view dataset;  // the paper's: "ImageNet", "COCO", "wikitext"
  /// The class of transformers that is built, one of several with this model_type; empty for torchvision's.
  std::string_view original = {};
  Graph (*build)(const Config& config, const ModelOptions& options) = nullptr;
  std::span<const ModelRow> models;
};

std::span<const Architecture* const> architectures();

/// A model a user named: a registry row, a folder with a config.json of a known architecture, or a model file.
struct Model {
  std::string name;
  const Architecture* architecture = nullptr;  // null for a model file
  const ModelRow* row = nullptr;               // null for a folder
  Config config;
  std::string folder;  // empty for a registry row
  std::shared_ptr<const ModelFile> file;
};

/// Throws Error(kUsage) with the nearest names, or Error(kBadInput) for a folder or file that does not hold a model.
Model find_model(const std::string& name_or_path);

/// Builds the graph; defaults of the registry row are filled in. Errors name the model and the option or config key.
Graph build_graph(const Model& model, const ModelOptions& options);

}  // namespace nongemm
