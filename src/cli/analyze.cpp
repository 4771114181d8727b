// nongemm analyze: the same reports from what other tools wrote.
#include <algorithm>

#include "base/error.h"
#include "cli/command.h"
#include "study/engine_report.h"
#include "study/output.h"
#include "study/trace_report.h"

namespace nongemm::cli {
namespace {

std::vector<Point> points_of(const Request& request) {
  const EngineFiles& engine = request.engine;
  const bool has_traces = !request.analyzed.files.empty();
  if (has_traces && !engine.profile.empty()) {
    throw Error(ErrorKind::kUsage, "a trace and an engine's files are two reports", "give one of them at a time");
  }
  if (has_traces) {
    const std::vector<std::string>& keep = request.run.keep;
    const bool long_timeline = std::find(keep.begin(), keep.end(), "timeline") != keep.end();
    return trace_points(request.analyzed, request.run.counting, long_timeline);
  }
  if (engine.profile.empty() || engine.layers.empty()) {
    throw Error(ErrorKind::kUsage, "there is no file to analyze",
                "give traces of a profiler, or --tensorrt and --layers with what trtexec wrote");
  }
  return {engine_point(engine, request.run)};
}

}  // namespace

ExitCode analyze_command(const Selection& selection) {
  const Request request = single_point(kAnalyze, selection, "an engine is of one model");
  check_output(request.output);
  Document document;
  document.context = make_context();
  document.points = points_of(request);
  write_output(document, request.output);
  return kSuccess;
}

}  // namespace nongemm::cli
