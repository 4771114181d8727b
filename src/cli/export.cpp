// nongemm export MODEL FILE: the lowered model as an ONNX file.
#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/message.h"
#include "cli/command.h"
#include "lowering/lower.h"
#include "lowering/simplify.h"
#include "onnx/file.h"
#include "study/build.h"
#include "study/effects.h"
#include "weights/made_weights.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::cli {
namespace {

/// Weights of a checkpoint as they are; others are drawn one by one, when they are written.
onnx::GiveWeight weights_of(const Model& model, const Graph& graph, const RunSpec& spec) {
  const auto bound = std::make_shared<PreparedWeights>(prepare_weights(model, graph, spec.weights, spec.runtime.seed));
  const auto specs = std::make_shared<std::vector<weights::WeightSpec>>(weights::weight_specs(graph.stored()));
  return [bound, specs, &graph, seed = spec.runtime.seed](std::size_t place) {
    stop_if_interrupted();
    return weights::made_weight(graph, place, [&](std::size_t i) {
      const HostTensor& tensor = bound->tensors.at(i);
      return tensor.data ? tensor : weights::synthesize((*specs)[i], seed);
    });
  };
}

}  // namespace

ExitCode export_command(const Selection& selection) {
  const Request request = single_point(kExport, selection, "a file holds one");
  check_effects(selection, {request});
  const ExportRequest& asked = request.exported;
  const BuiltModel built = build_model(request.run, say_on_terminal);
  onnx::LoweredModel lowered = onnx::lower_to_onnx(*built.graph, {.opset = asked.opset, .decompose = asked.decompose});
  const onnx::GiveWeight give = weights_of(built.model, *built.graph, request.run);
  if (asked.simplify) onnx::simplify(lowered.model, *built.graph, give);
  const onnx::WrittenModel written = onnx::write_model(lowered.model, asked.file, give);
  say(fmt::format("wrote {}{}: {} nodes, opset {}, {:.1f} MB\n", written.model.string(),
                  written.data.empty() ? "" : " and " + written.data.string(), lowered.model.graph.nodes.size(),
                  lowered.model.opset, static_cast<double>(written.bytes) * 1e-6));
  return kSuccess;
}

}  // namespace nongemm::cli
