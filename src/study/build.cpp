#include "study/build.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "prepare/given_inputs.h"
#include "study/calibration.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

/// The types of a model file are what they are.
void check_dtype(const RunSpec& spec, const Graph& graph) {
  const auto own = graph.attributes.find("dtype");
  const ModelOptions& wanted = spec.options;
  if (!wanted.dtype_given || own == graph.attributes.end() || parse_dtype(own->second) == wanted.dtype) return;
  throw Error(ErrorKind::kUnsupported, fmt::format("the model's file is in {}", own->second),
              fmt::format("export the model in {}", name_of(wanted.dtype)));
}

Graph graph_of(const RunSpec& spec, const BuiltModel& built, const ModelOptions& options, const Progress& progress) {
  if (!wants_calibration(spec, built.model)) return build_graph(built.model, options, spec.runtime.place);
  const Calibration found = calibrate(spec, built.model, options, built.data ? &*built.data : nullptr, progress);
  Graph graph = build_graph(built.model, options, found.steps);
  graph.attributes["calibrated with"] = found.source;
  return graph;
}

}  // namespace

BuiltModel build_model(const RunSpec& spec, const Progress& progress) {
  BuiltModel built;
  built.model = find_model(spec.model);
  ModelOptions options = spec.options;
  if (!spec.data.empty()) {
    progress("reading data");
    built.data = read_data(built.model, spec.data, spec.weights, options);
    options = options_for(built.data->tensors, options);
  } else if (!spec.inputs.empty()) {
    built.data = read_inputs(built.model, spec.inputs, options);
    options = built.model.file ? options_for_file(built.model, built.data->tensors, options)
                               : options_for(built.data->tensors, options);
  }
  Graph graph = graph_of(spec, built, options, progress);
  if (!spec.weights.empty()) graph.source = nullptr;  // the file has other weights
  if (built.model.file) check_dtype(spec, graph);
  built.graph = std::make_shared<const Graph>(std::move(graph));
  return built;
}

}  // namespace nongemm
