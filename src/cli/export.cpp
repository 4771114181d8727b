// nongemm export MODEL FILE: the model as an ONNX file, or as a program of torch.export.
#include <fmt/format.h>

#include <array>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/message.h"
#include "cli/command.h"
#include "lowering/lower.h"
#include "lowering/pt2/program.h"
#include "lowering/simplify.h"
#include "onnx/file.h"
#include "pt2/file.h"
#include "study/build.h"
#include "study/effects.h"
#include "weights/made_weights.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::cli {
namespace {

/// A weight of the graph by its position. Those of a checkpoint as they are; others are drawn one by one, when they are
/// written.
using GiveValues = std::function<HostTensor(std::size_t)>;

GiveValues weights_of(const Model& model, const Graph& graph, const RunSpec& spec) {
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

void write_onnx(const BuiltModel& built, const Request& request) {
  const ExportRequest& asked = request.exported;
  onnx::LoweredModel lowered = onnx::lower_to_onnx(*built.graph, {.opset = asked.opset, .decompose = asked.decompose});
  const GiveValues give = weights_of(built.model, *built.graph, request.run);
  if (asked.simplify) onnx::simplify(lowered.model, *built.graph, give);
  const onnx::WrittenModel written = onnx::write_model(lowered.model, asked.file, give);
  say(fmt::format("wrote {}{}: {} nodes, opset {}, {:.1f} MB\n", written.model.string(),
                  written.data.empty() ? "" : " and " + written.data.string(), lowered.model.graph.nodes.size(),
                  lowered.model.opset, static_cast<double>(written.bytes) * 1e-6));
}

void write_pt2(const BuiltModel& built, const Request& request) {
  const Graph& graph = *built.graph;
  const pt2::Program program = pt2::lower_to_pt2(graph);
  const PreparedInputs prepared = prepare_inputs(graph, built.data ? &*built.data : nullptr, request.run.runtime.seed);
  const std::uint64_t bytes =
      pt2::write_program(program, request.exported.file, weights_of(built.model, graph, request.run), prepared.tensors);
  say(fmt::format("wrote {}: {} nodes, {:.1f} MB\n", request.exported.file, graph.blocks[kBodyBlock].nodes.size(),
                  static_cast<double>(bytes) * 1e-6));
}

struct Format {
  std::string_view ending;
  void (*write)(const BuiltModel& built, const Request& request);
};

/// By the file's name; what has another ending is ONNX.
constexpr std::array kFormats = {Format{".pt2", write_pt2}, Format{"", write_onnx}};

}  // namespace

ExitCode export_command(const Selection& selection) {
  const Request request = single_point(kExport, selection, "a file holds one");
  check_effects(selection, {request});
  const BuiltModel built = build_model(request.run, say_on_terminal);
  for (const Format& format : kFormats) {
    if (!request.exported.file.ends_with(format.ending)) continue;
    format.write(built, request);
    break;
  }
  return kSuccess;
}

}  // namespace nongemm::cli
