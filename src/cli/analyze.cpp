// nongemm analyze: the same reports from what other tools wrote.
#include "cli/command.h"
#include "study/engine_report.h"
#include "study/output.h"

namespace nongemm::cli {

ExitCode analyze_command(const Selection& selection) {
  const Request request = single_point(kAnalyze, selection, "an engine is of one model");
  check_output(request.output);
  Document document;
  document.context = make_context();
  document.points.push_back(engine_point(request.engine, request.run));
  write_output(document, request.output);
  return kSuccess;
}

}  // namespace nongemm::cli
