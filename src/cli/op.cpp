// nongemm op NAME..., --preset or --from: operators alone, one by one.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/message.h"
#include "cli/command.h"
#include "microbench/plan.h"
#include "study/child.h"
#include "study/effects.h"
#include "study/output.h"
#include "study/ranks.h"
#include "study/sweep.h"

namespace nongemm::cli {

namespace {

/// By ranks, unless this process is one of them.
MeasurePoints measured(std::vector<microbench::PlannedCall>& calls) {
  const auto wanted = [&calls](std::size_t i) { return calls[i].spec.run.runtime.place; };
  bool several = false;
  std::optional<RankPlace> place;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    several = several || wanted(i).is_one_of_several();
    if (const auto found = place_of_process(wanted(i))) place = found;
  }
  if (several && !place) {
    return in_ranks([&calls](std::size_t i) { return microbench::words_of(calls[i].spec); }, wanted,
                    [&calls](std::size_t i) { return microbench::row_of(calls[i].spec); },
                    [&calls](std::size_t i) {
                      if (calls[i].error) std::rethrow_exception(calls[i].error);
                    },
                    /*most_seconds=*/0);
  }
  for (microbench::PlannedCall& call : calls) {
    if (place) call.spec.run = at_place(std::move(call.spec.run), *place);
  }
  return in_this_process(
      [&calls](std::size_t i, const Progress& progress) { return microbench::point_of(calls[i], progress); });
}

/// Of ranks that a launcher started, the first writes.
bool is_first(const std::vector<microbench::PlannedCall>& calls) {
  return std::all_of(calls.begin(), calls.end(),
                     [](const microbench::PlannedCall& call) { return call.spec.run.runtime.place.rank == 0; });
}

}  // namespace

ExitCode op_command(const Selection& selection) {
  const std::vector<Request> points = option_table().points(kOp, selection);
  const Request& request = points.front();
  if (request.print_commands && (is_given(selection, "output") || is_given(selection, "format"))) {
    throw Error(ErrorKind::kUsage, "--output and --format have no effect: --list prints commands", "leave them out");
  }
  // Of an operator's own options some have names of a model's.
  check_run_effects(part_of(selection, [](const Option& option) { return option.is_for(kRun); }), points);
  check_output(request.output);
  const auto note = [](const std::string& text) { say(fmt::format("nongemm: {}\n", text)); };
  std::vector<microbench::PlannedCall> calls = microbench::plan_calls(selection, note);
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
  sweep.measure = measured(calls);
  sweep.runtime_version = runtime_version_elsewhere;
  run_sweep_with_journal(request, sweep, document);
  if (is_first(calls)) write_output(document, request.output);
  return conclude(document);
}

}  // namespace nongemm::cli
