// nongemm compare BASE NEW, or --run A --run B.
#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "compare/comparison.h"
#include "study/journal.h"
#include "study/output.h"
#include "study/turns.h"

namespace nongemm::cli {
namespace {

void check_subject(const CompareRequest& request, const Selection& selection) {
  const std::size_t sides = request.reports.size() + request.runs.size();
  if (sides != 2 || (!request.reports.empty() && !request.runs.empty())) {
    throw Error(ErrorKind::kUsage, "a comparison is of two reports, or of two --run commands",
                "nongemm compare base.json new.json, or nongemm compare --run gpt2 --run 'gpt2 --dtype bf16'");
  }
  for (const char* name : {"processes", "budget"}) {
    if (request.runs.empty() && is_given(selection, name)) {
      throw Error(ErrorKind::kUsage, std::string("--") + name + " has no effect: nothing is measured", "leave it out");
    }
  }
}

/// The machine is that of the runs; what was typed, and where, is this process's and not that of a run.
void say_what_was_typed(Document& document) {
  for (const auto& [name, value] : make_context()) {
    if (name != "command" && name != kStartedIn) continue;
    std::erase_if(document.context, [&said = name](const auto& entry) { return entry.first == said; });
    document.context.emplace_back(name, value);
  }
}

Comparison measured(const CompareRequest& request, CompareOptions options) {
  constexpr int kMostTurns = 55;
  const ChildTask base = task_of_command(request.runs[0]);
  const ChildTask fresh = task_of_command(request.runs[1]);
  options.in_turns = true;
  const TurnLimits limits{request.processes.value_or(kMostTurns), request.budget_s};
  // Who looks several times and stops at the first answer is wrong more often: each look has a share of the doubt.
  options.confidence = 1 - (1 - options.confidence) / looks_within(limits.most);
  const Turns turns = measure_in_turns(base, fresh, limits, say_on_terminal, [&](const Turns& so_far) {
    return compare_documents(so_far.base, so_far.fresh, options).decided;
  });
  Comparison comparison = compare_documents(turns.base, turns.fresh, options);
  comparison.document.context = turns.base.context;
  say_what_was_typed(comparison.document);
  return comparison;
}

Comparison of_reports(const CompareRequest& request, const CompareOptions& options) {
  const Document base = read_report(request.reports[0]);
  const Document fresh = read_report(request.reports[1]);
  Comparison comparison = compare_documents(base, fresh, options);
  comparison.document.context = make_context();
  comparison.document.context.emplace_back("base", request.reports[0]);
  comparison.document.context.emplace_back("new", request.reports[1]);
  return comparison;
}

}  // namespace

ExitCode compare_command(const Selection& selection) {
  const Request request = option_table().points(kCompare, selection).front();
  check_subject(request.compared, selection);
  check_output(request.output);
  const CompareOptions options{.tolerance = request.compared.tolerance, .fail_above = request.compared.fail_above};
  const Comparison comparison =
      request.compared.runs.empty() ? of_reports(request.compared, options) : measured(request.compared, options);
  write_output(comparison.document, request.output);
  if (interrupted()) return kInterrupted;
  return comparison.comparable && !comparison.gate_failed ? kSuccess : kFailure;
}

}  // namespace nongemm::cli
