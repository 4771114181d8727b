// nongemm op NAME..., --preset or --from: operators alone, one by one.
#include <fmt/format.h>

#include "base/error.h"
#include "base/message.h"
#include "cli/command.h"
#include "microbench/plan.h"
#include "study/child.h"
#include "study/output.h"
#include "study/sweep.h"

namespace nongemm::cli {

ExitCode op_command(const Selection& selection) {
  const Request request = option_table().points(kOp, selection).front();
  if (request.print_commands && (is_given(selection, "output") || is_given(selection, "format"))) {
    throw Error(ErrorKind::kUsage, "--output and --format have no effect: --list prints commands", "leave them out");
  }
  check_output(request.output);
  const auto note = [](const std::string& text) { say(fmt::format("nongemm: {}\n", text)); };
  const std::vector<microbench::PlannedCall> calls = microbench::plan_calls(selection, note);
  if (request.print_commands) {
    for (const microbench::PlannedCall& call : calls) {
      if (!call.error) fmt::print("{}\n", microbench::command_of(call.spec));
    }
    return kSuccess;
  }
  Document document;
  document.context = make_context();
  Sweep sweep;
  for (const microbench::PlannedCall& call : calls) {
    const RunSpec& run = call.spec.run;
    sweep.points.push_back({call.spec.call.info.name, call.error ? "" : microbench::key_of(call.spec), run.flow, 0});
  }
  sweep.say = say_on_terminal;
  sweep.measure = in_this_process(
      [&](std::size_t i, const Progress& progress) { return microbench::point_of(calls[i], progress); });
  sweep.runtime_version = runtime_version_elsewhere;
  run_sweep_with_journal(request, sweep, document);
  write_output(document, request.output);
  return conclude(document);
}

}  // namespace nongemm::cli
