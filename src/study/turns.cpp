#include "study/turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "flows/options.h"
#include "spec/command_line.h"
#include "study/journal.h"

namespace nongemm {
namespace {

/// At these numbers of turns it is asked whether they are enough.
bool is_look(int turns) {
  int before = 3;
  for (int look = 5; look <= turns; look += std::exchange(before, look)) {
    if (look == turns) return true;
  }
  return false;
}

void measure_one(const ChildTask& task, int turn, Document& side) {
  ChildEnd end;
  run_children(
      1, {}, [&](std::size_t, std::size_t) { return task; },
      [&](std::size_t, const ChildEnd& its_end) { end = its_end; });
  if (interrupted()) return;
  const Status status = status_of(end, 0);
  JournalContent content;
  if (!end.journal.empty()) content = parse_journal(end.journal, "what the process wrote");
  if (content.points.empty()) {
    throw Error(ErrorKind::kFailed,
                fmt::format("'{}' left no point: {}", fmt::join(task.words, " "),
                            status.ok() ? "it ended well" : status.reason),
                "see that it runs by itself");
  }
  if (side.context.empty()) side.context = content.sessions.front();
  Point point = std::move(content.points.back().point);
  if (!point.status.ok()) {
    throw Error(ErrorKind::kFailed, fmt::format("'{}': {}: {}", fmt::join(task.words, " "), name_of(point.status.kind),
                                                point.status.reason));
  }
  point.process = turn;
  side.points.push_back(std::move(point));
}

}  // namespace

ChildTask task_of_command(const std::string& command) {
  ChildTask task;
  std::vector<std::string> words = shell_words(command);
  if (!words.empty() && words.front().find('/') != std::string::npos && words.size() > 1 && words[1] == "run") {
    task.program = words.front();
    words.erase(words.begin());
  } else if (!words.empty() && words.front() == "nongemm") {
    words.erase(words.begin());
  }
  if (!words.empty() && words.front() == "run") words.erase(words.begin());
  if (task.program == ChildTask().program) {
    const auto points = option_table().points(kRun, parse_arguments(option_table(), kRun, words).selection);
    if (points.size() != 1) {
      throw Error(ErrorKind::kUsage, fmt::format("--run '{}' is of {} points", command, points.size()),
                  "compare one point with another");
    }
  }
  words.insert(words.begin(), "run");
  task.words = std::move(words);
  return task;
}

int looks_within(int turns) {
  int looks = 1;  // the last one
  for (int turn = 1; turn < turns; ++turn) looks += is_look(turn) ? 1 : 0;
  return looks;
}

Turns measure_in_turns(const ChildTask& base, const ChildTask& fresh, const TurnLimits& limits, const Progress& say,
                       const std::function<bool(const Turns& turns)>& enough) {
  Turns turns;
  const Stopwatch clock;
  for (int turn = 1; turn <= limits.most && !interrupted(); ++turn) {
    say(fmt::format("turn {} of at most {}", turn, limits.most));
    // Each begins every second turn: what the first of a turn leaves behind, it leaves to both.
    const bool swapped = turn % 2 == 0;
    for (const bool second : {false, true}) {
      const bool is_fresh = second != swapped;
      measure_one(is_fresh ? fresh : base, turn, is_fresh ? turns.fresh : turns.base);
    }
    if (interrupted() || clock.seconds() > limits.seconds || (is_look(turn) && enough(turns))) break;
  }
  const std::size_t whole = std::min(turns.base.points.size(), turns.fresh.points.size());
  turns.base.points.resize(whole);
  turns.fresh.points.resize(whole);
  say("");
  return turns;
}

}  // namespace nongemm
