// nongemm inspect MODEL...: static figures; runs nothing and loads no framework.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"
#include "graph/graph_json.h"
#include "ops/stream.h"
#include "study/effects.h"
#include "study/output.h"
#include "study/point.h"

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
    std::cout << dump_json(line) << '\n';
  }
}

}  // namespace

ExitCode inspect_command(const Selection& selection) {
  const std::vector<Request> points = option_table().points(kInspect, selection);
  const Request& first = points.front();
  if (first.print_stream && first.print_graph) {
    throw Error(ErrorKind::kUsage, "--stream and --graph exclude each other", "leave one out");
  }
  check_effects(selection, points);  // before anything is printed
  if (first.print_stream || first.print_graph) {
    for (const Request& point : points) {
      const BuiltModel built = build_model(point.run, say_on_terminal);
      first.print_stream ? print_stream(*built.graph)
                         : void(std::cout << to_json(*built.graph, points.size() > 1 ? -1 : 1) << '\n');
    }
    return kSuccess;
  }
  check_output(first.output);
  Document document;
  document.context = make_context();
  for (const Request& point : points) document.points.push_back(inspect_point(point.run));
  write_output(document, first.output);
  return kSuccess;
}

}  // namespace nongemm::cli
