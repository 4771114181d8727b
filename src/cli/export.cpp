// nongemm export MODEL FILE: the lowered model as an ONNX file.
#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/options.h"
#include "lowering/lower.h"
#include "lowering/simplify.h"
#include "onnx/file.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::cli {
namespace {

struct ExportOptions {
  SweepOptions sweep;
  std::string file;
  std::string weights;
  std::string inputs;
  OnnxOptions onnx;
  bool simplify = false;
};

PointSpec single_point(const ExportOptions& options) {
  std::vector<PointSpec> points = points_of(options.sweep);
  if (points.size() != 1) {
    throw Error(ErrorKind::kUsage, fmt::format("{} models are asked for, a file holds one", points.size()),
                "give one value for each option");
  }
  PointSpec point = std::move(points.front());
  if (!options.inputs.empty()) {
    point.options = options_for(weights::read_safetensors(options.inputs), point.options);
  }
  return point;
}

/// Weights of a checkpoint as they are; others are drawn one by one, when they are written.
onnx::GiveWeight weights_of(const Model& model, const Graph& graph, const WeightSource& source) {
  const auto bound = std::make_shared<PreparedWeights>(prepare_weights(model, graph, source));
  const auto specs = std::make_shared<std::vector<weights::WeightSpec>>(weights::weight_specs(graph));
  return [bound, specs, seed = source.seed](std::size_t i) {
    if (interrupted()) throw Error(ErrorKind::kFailed, "interrupted: no file was written");
    const HostTensor& tensor = bound->tensors.at(i);
    return tensor.data ? tensor : weights::synthesize((*specs)[i], seed);
  };
}

void export_model(const ExportOptions& options) {
  const PointSpec point = single_point(options);
  const Model model = find_model(point.model);
  const Graph graph = build_graph(model, point.options);
  onnx::LoweredModel lowered = onnx::lower_to_onnx(graph, options.onnx);
  const onnx::GiveWeight give = weights_of(model, graph, {options.weights, options.sweep.seed});
  if (options.simplify) onnx::simplify(lowered.model, graph, give);
  const onnx::WrittenModel written = onnx::write_model(lowered.model, options.file, give);
  fmt::print(stderr, "wrote {}{}: {} nodes, opset {}, {:.1f} MB\n", written.model.string(),
             written.data.empty() ? "" : " and " + written.data.string(), lowered.model.graph.nodes.size(),
             lowered.model.opset, static_cast<double>(written.bytes) * 1e-6);
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a model as an ONNX file, without running it");
  options->sweep.models.resize(1);
  command
      ->add_option("MODEL", options->sweep.models[0],
                   "registry name (nongemm list models), folder with a config.json, .pt2 or .onnx file")
      ->required();
  command->add_option("FILE", options->file, "ONNX file; weights of more than 1 GB go to FILE.data")->required();
  add_model_options(*command, options->sweep);
  command->add_option("--weights", options->weights, "checkpoint file or folder (default: synthetic weights)");
  command->add_option("--inputs", options->inputs, "safetensors file: build for inputs of these names and shapes");
  command->add_option("--opset", options->onnx.opset, "of ONNX, 13 to 20")->capture_default_str();
  command->add_flag("--simplify", options->simplify,
                    "compute now what depends on weights alone, leave out transposes that undo each other");
  command->add_flag("--decompose", options->onnx.decompose,
                    "LayerNormalization, Gelu, ... as the arithmetic they consist of");
  command->callback([options, &exit_code] {
    exit_code = kSuccess;
    export_model(*options);
  });
}

}  // namespace nongemm::cli
