// Operator streams of the originals (tests/reference, fixtures/opstreams) and how close a graph's stream is to one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ops/stream.h"

namespace nongemm {

struct StreamMatch {
  std::size_t ours = 0;
  std::size_t wanted = 0;
  std::size_t matched = 0;
  /// "3 x aten::add [2,4] [2,4]" of what only one side has, most frequent first.
  std::vector<std::string> only_ours;
  std::vector<std::string> only_wanted;

  double share() const;
  std::string report() const;
};

/// Compares as multisets of (operator, shapes). The reference holds no dtypes, so a `to` that copied nothing looks like
/// one that did: its surplus `to` are left out, but each of ours must be there.
/// Dimensions of ours that only a run knows fit any number.
/// Throws Error for a file that is not a stream.
StreamMatch match_stream(const std::vector<StreamEntry>& ours, const std::filesystem::path& reference);

}  // namespace nongemm
