// nongemm op NAME..., --preset or --from: operators alone, one by one.
#include <fmt/format.h>

#include "cli/command.h"
#include "microbench/plan.h"
#include "study/output.h"
#include "study/sweep.h"

namespace nongemm::cli {

ExitCode op_command(const Selection& selection) {
  const Request request = option_table().points(kOp, selection).front();
  check_output(request.output);
  const auto note = [](const std::string& text) { fmt::print(stderr, "nongemm: {}\n", text); };
  const std::vector<microbench::PlannedCall> calls = microbench::plan_calls(selection, note);
  if (request.print_commands) {
    for (const microbench::PlannedCall& call : calls) {
      if (!call.error) fmt::print("{}\n", microbench::command_of(call.spec));
    }
    return kSuccess;
  }
  Document document;
  document.context = make_context();
  Checkpoints checkpoints(request.output.folder);
  run_sweep(
      {.points = calls.size(),
       .name = [&](std::size_t i) { return calls[i].spec.call.info.name; },
       .measure = [&](std::size_t i, const Progress& progress) { return microbench::point_of(calls[i], progress); },
       .say = say_on_terminal,
       .added = [&](const Document& so_far) { checkpoints.add(so_far); }},
      document);
  write_output(document, request.output);
  return exit_code_of(document);
}

}  // namespace nongemm::cli
