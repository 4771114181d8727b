// nongemm inspect MODEL...: static figures; runs nothing and loads no framework.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/options.h"
#include "graph/graph_json.h"
#include "ops/stream.h"

namespace nongemm::cli {
namespace {

/// One JSON line per operator: ["aten::layer_norm", [[1, 256, 768], ...], "h.0.ln_1"]; unknown dimensions are null.
void print_stream(const Graph& graph) {
  for (const StreamEntry& entry : operator_stream(graph)) {
    nlohmann::json shapes = nlohmann::json::array();
    for (const Shape& shape : entry.shapes) {
      nlohmann::json dims = nlohmann::json::array();
      for (const std::int64_t dim : shape) dims.push_back(dim == kDynamic ? nlohmann::json() : nlohmann::json(dim));
      shapes.push_back(std::move(dims));
    }
    const auto line = nlohmann::json::array({entry.op, std::move(shapes), entry.scope});
    // Names in files of others may be any bytes.
    std::cout << line.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace) << '\n';
  }
}

}  // namespace

void add_inspect_command(CLI::App& app, int& exit_code) {
  struct InspectOptions {
    SweepOptions sweep;
    OutputOptions output;
    bool stream = false;
    bool graph = false;
  };
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Operators, shapes, FLOPs and bytes of models; runs nothing");
  add_graph_options(*command, options->sweep);
  options->sweep.devices = {"cuda"};  // what is held against PyTorch's streams, which come from a GPU
  command
      ->add_option("--device", options->sweep.devices,
                   "cuda or cpu: whose operators, where the original chooses them by device (R-CNN)")
      ->capture_default_str();
  add_output_options(*command, options->output);
  command->add_flag("--stream", options->stream, "print the operators in order as JSON lines");
  command->add_flag("--graph", options->graph, "print the whole graph as JSON")->excludes("--stream");
  command->callback([options, &exit_code] {
    exit_code = kSuccess;
    if (options->stream || options->graph) {
      for (const PointSpec& spec : points_of(options->sweep)) {
        const Graph graph = build_graph(find_model(spec.model), spec.options);
        options->stream ? print_stream(graph) : void(std::cout << to_json(graph) << '\n');
      }
      return;
    }
    check_output(options->output);
    Document document;
    document.context = make_context();
    for (const PointSpec& spec : points_of(options->sweep)) document.points.push_back(inspect_point(spec));
    write_output(document, options->output, "table");
  });
}

}  // namespace nongemm::cli
