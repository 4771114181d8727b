// First stage of a point: what was asked for becomes a model with its graph.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "graph/graph.h"
#include "prepare/model.h"
#include "prepare/prepare.h"
#include "spec/run_spec.h"

namespace nongemm {

using Progress = std::function<void(const std::string& what)>;

struct BuiltModel {
  Model model;
  std::shared_ptr<const Graph> graph;
  std::optional<DataBatch> data;  // inputs of the user's own, which decide batch and length
};

/// Throws what finding the model, reading inputs and building the graph throw.
BuiltModel build_model(const RunSpec& spec, const Progress& progress);

}  // namespace nongemm
