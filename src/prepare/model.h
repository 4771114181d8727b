// A model that a user named, and its graph: where the registry, folders and files of other tools come together.
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "import/model_file.h"
#include "models/registry.h"
#include "passes/calibration.h"
#include "spec/rank_place.h"

namespace nongemm {

/// A registry row, a folder with a config.json of a known architecture, or a model file.
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

/// Builds the graph, quantized where the options want it; defaults of the registry row are filled in. Errors name the
/// model and the option or config key.
Graph build_graph(const Model& model, const ModelOptions& options);

/// Of w8a8 with scales of activations that were found before, by layers (passes/calibration.h).
Graph build_graph(const Model& model, const ModelOptions& options, const passes::InputSteps& steps);

/// What the rank there runs of it, see passes/tensor_parallel; all of it for one rank.
Graph build_graph(const Model& model, const ModelOptions& options, const RankPlace& place);

}  // namespace nongemm
