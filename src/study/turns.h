// Two commands measured in turns, each time in a process of its own, until it is known which is faster.
#pragma once

#include <string>
#include <vector>

#include "report/document.h"
#include "spec/option_table.h"
#include "study/child.h"

namespace nongemm {

/// What a user writes for one side: "gpt2 --dtype bf16", "nongemm run gpt2", "/other/build/nongemm run gpt2".
/// Throws Error(kUsage) for no run of one point; of another program only the words are known.
ChildTask task_of_command(const std::string& command);

/// Both sides so far: the n-th process of each ran in the n-th turn.
struct Turns {
  Document base;
  Document fresh;
};

struct TurnLimits {
  int most = 0;  // turns
  double seconds = 0;
};

/// @param enough asked at 5, 8, 13, 21, ... turns, a growing distance apart; how many times it is asked at most for
///        this many turns is looks_within()
/// Throws Error when a side leaves no point.
Turns measure_in_turns(const ChildTask& base, const ChildTask& fresh, const TurnLimits& limits, const Progress& say,
                       const std::function<bool(const Turns& turns)>& enough);
int looks_within(int turns);

}  // namespace nongemm
