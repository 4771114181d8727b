// nongemm report FILE: any format again from a JSON report.
#include "cli/command.h"
#include "study/journal.h"
#include "study/output.h"

namespace nongemm::cli {

ExitCode report_command(const Selection& selection) {
  const Request request = single_point(kReport, selection, "a report is made again from one file");
  check_output(request.output);
  write_output(read_report(request.subject), request.output);
  return kSuccess;
}

}  // namespace nongemm::cli
