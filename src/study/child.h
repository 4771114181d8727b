// Points in processes of their own, so that one that crashes, hangs or is killed ends nothing but itself.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "study/sweep.h"

namespace nongemm {

/// A call of this program, or of another build of it.
struct ChildTask {
  std::string program = "/proc/self/exe";
  std::vector<std::string> words;                                // after the program's name
  std::vector<std::pair<std::string, std::string>> environment;  // on top of this process's
  bool keeps_journal = true;                                     // `--journal` is added to its words
};

/// How a child ended.
struct ChildEnd {
  int wait_status = 0;  // as waitpid(2) has it
  bool timed_out = false;
  bool out_of_memory = false;  // it was killed, and the kernel's counter of processes killed for memory rose meanwhile
  std::string journal;         // what it wrote to the journal that it was given
  std::string last_words;      // the end of what it printed, one line
  std::string printed;         // on standard output; the last mebibyte
  bool ended_with_others = false;  // killed, since another one of its job had failed
};

struct ChildOptions {
  std::size_t slots = 1;    // at once
  double most_seconds = 0;  // of a child; 0: no limit
  /// The children are one job: when one has failed the others get so many seconds to say their own words.
  std::optional<double> seconds_after_failure = {};
};

/// Runs this program once for each task, with `--journal` for its points, and tells of each that ended. An interrupt is
/// passed on to those that run, and no more are begun. Children do not outlive this process.
/// @param task of the i-th, in the given slot
/// Throws Error(kFailed) when no process can be started.
void run_children(std::size_t count, const ChildOptions& options,
                  const std::function<ChildTask(std::size_t i, std::size_t slot)>& task,
                  const std::function<void(std::size_t i, const ChildEnd& end)>& ended);

/// The point that a child left; nothing when it did not get so far.
std::optional<Point> point_of(const ChildEnd& end);

/// "killed by SIGABRT", "ran longer than 60 s (--point-timeout)", with its last words. Ok when it ended well.
Status status_of(const ChildEnd& end, double most_seconds);

/// Each point in a process of its own.
/// @param row a point without figures, for a process that left none
MeasurePoints in_children(std::function<ChildTask(std::size_t i, std::size_t slot)> task,
                          std::function<Point(std::size_t i)> row, ChildOptions options);

/// What a runtime says of its version, asked in a process of its own: this one does not load it. Empty when it has
/// none.
std::string runtime_version_elsewhere(const std::string& flow);

/// Why the flow cannot run on the device here: the runtime is not there, or sees no such device. Empty where it can.
/// Asked in a process of its own, too.
std::string why_unavailable(const std::string& flow, const Device& device);

}  // namespace nongemm
