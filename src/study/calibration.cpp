#include "study/calibration.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"
#include "flows/load.h"
#include "flows/options.h"
#include "prepare/stored_format.h"
#include "spec/rank_place.h"

namespace nongemm {
namespace {

/// Other scales than a checkpoint's would make another model of it.
void check_stored(const RunSpec& spec, const Model& model, const passes::StoredWeights& stored) {
  const bool wants_static = spec.activations == QuantizeActivations::kStatic;
  if (!spec.activations || wants_static == stored.input_scales) return;
  throw Error(ErrorKind::kUsage,
              model.name + ": its checkpoint has " + (stored.input_scales ? "static" : "dynamic") + " activations",
              "leave quantize.activations out");
}

}  // namespace

bool wants_calibration(const RunSpec& spec, const Model& model) {
  const std::optional<passes::StoredWeights> stored =
      model.file == nullptr ? stored_weights_of(model.config) : std::nullopt;
  if (stored) check_stored(spec, model, *stored);
  if (stored || spec.options.quantize.scheme != QuantizeScheme::kW8a8) return false;
  const std::span<const FlowDescription* const> flows = known_flows();
  const bool wants_static = std::any_of(flows.begin(), flows.end(), [&](const FlowDescription* flow) {
    return flow->name == spec.flow && flow->wants_static_scales;
  });
  const auto usual = wants_static ? QuantizeActivations::kStatic : QuantizeActivations::kDynamic;
  if (spec.activations.value_or(usual) != QuantizeActivations::kStatic) return false;
  if (spec.runtime.place.is_one_of_several()) {
    throw Error(ErrorKind::kUnsupported, "a quantized model is not cut among ranks", "leave --quantize out");
  }
  return true;
}

Calibration calibrate(const RunSpec& spec, const Model& model, const ModelOptions& options, const DataBatch* data,
                      const Progress& progress) {
  progress("calibrating: the model as it is, in torch");
  ModelOptions as_it_is = options;
  as_it_is.quantize = {};
  const Graph graph = passes::with_magnitudes(build_graph(model, as_it_is), options.quantize);
  const PreparedWeights weights = prepare_weights(model, graph, spec.weights, spec.runtime.seed);
  const PreparedInputs inputs = prepare_inputs(graph, data, spec.runtime.seed);
  RunOptions run(spec.runtime);
  run.settings.clear();  // another flow's
  const std::unique_ptr<Session> session = load_flow(kBaselineFlow).prepare(graph, weights.tensors, run);
  session->set_inputs(inputs.tensors);
  session->run();
  Calibration found{.steps = {}, .source = inputs.source};
  passes::add_steps(graph, session->outputs(), found.steps);
  return found;
}

}  // namespace nongemm
