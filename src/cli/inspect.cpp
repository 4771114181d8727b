// nongemm inspect MODEL...: static figures; runs nothing and loads no framework.
#include <memory>

#include "cli/command.h"
#include "cli/options.h"

namespace nongemm::cli {

void add_inspect_command(CLI::App& app, int& exit_code) {
  struct InspectOptions {
    SweepOptions sweep;
    OutputOptions output;
  };
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Operators, shapes, FLOPs and bytes of models; runs nothing");
  add_graph_options(*command, options->sweep);
  add_output_options(*command, options->output);
  command->callback([options, &exit_code] {
    check_output(options->output);
    Document document;
    document.context = make_context();
    for (const PointSpec& spec : points_of(options->sweep)) document.points.push_back(inspect_point(spec));
    write_output(document, options->output, "table");
    exit_code = kSuccess;
  });
}

}  // namespace nongemm::cli
