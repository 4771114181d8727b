// nongemm report FILE: any format again from a JSON report.
#include <memory>

#include "cli/command.h"
#include "cli/options.h"
#include "report/document.h"

namespace nongemm::cli {

void add_report_command(CLI::App& app, int& exit_code) {
  struct ReportOptions {
    std::string file;
    OutputOptions output;
  };
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "Make any format again from a JSON report");
  command->add_option("FILE", options->file, "a report.json")->required();
  add_output_options(*command, options->output);
  command->callback([options, &exit_code] {
    check_output(options->output);
    write_output(read_document(options->file), options->output, "table");
    exit_code = kSuccess;
  });
}

}  // namespace nongemm::cli
