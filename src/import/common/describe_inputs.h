// What an imported graph's inputs hold, and what reports say of it: files do not tell.
#pragma once

#include "graph/graph.h"

namespace nongemm {

/// Integers that an embedding looks up are tokens; boolean inputs and those called a mask are masks; real numbers are
/// drawn like pixels. Also sets the attributes "batch", "sequence" and "dtype".
void describe_inputs(Graph& graph);

}  // namespace nongemm
