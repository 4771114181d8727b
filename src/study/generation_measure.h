// Measuring a text generation: whole ones token by token, then the passes of its two phases.
#pragma once

#include <string>
#include <vector>

#include "generate/generation.h"
#include "record/generation.h"
#include "record/record.h"
#include "spec/run_spec.h"
#include "study/build.h"

namespace nongemm {

struct MeasuredGeneration {
  Record record;  // entries and phases: the prompt's, a step's, and a step's replayed
  GenerationRecord generation;
  std::vector<std::vector<std::int64_t>> tokens;  // by sample
  std::string no_replay;                          // why there is none although it was asked for
  bool replay_agrees = true;                      // its tokens are those of the eager steps
};

MeasuredGeneration measure_generation(const RunSpec& spec, GenerationGraphs& graphs, GenerationSteps& sessions,
                                      const Prompt& prompt, const Progress& progress);

}  // namespace nongemm
