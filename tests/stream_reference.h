// Operator streams of the originals (tests/reference, fixtures/opstreams) and where a graph's stream departs from one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ops/stream.h"

namespace nongemm {

/// A call that one of two streams has and the other has not at this place. A call that moved is two of them.
struct StreamDifference {
  bool ours = false;
  std::string op;    // "aten::add"
  std::string text;  // "line 12: aten::add [2,4] [2,4] in h.0.ln_1"
};

/// Compares as sequences of (operator, shapes): what is left out of both when their longest common sequence is taken.
/// Sizes of ours that only a run knows fit any number. The reference holds no dtypes, so our stream has to list its
/// idle casts, too. Bookkeeping that does no work (dropout at inference, detach, alias, empty) is left out of both,
/// and so is torch.tensor(), which dispatches empty, to and lift_fresh: what it makes is a constant of ours.
/// Throws Error for a file that is not a stream.
std::vector<StreamDifference> stream_differences(const std::vector<StreamEntry>& ours,
                                                 const std::filesystem::path& reference);

/// What is wrong with a stream, for people: differences that the list of exceptions (stream_exceptions.cpp) does not
/// have, and exceptions that did not occur. Empty when all is as it should be.
/// @param name of the stream's file or case, as the list has it
std::string unexplained(const std::string& name, const std::vector<StreamDifference>& differences);

}  // namespace nongemm
