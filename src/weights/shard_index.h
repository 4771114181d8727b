// The index of a checkpoint in several files, as transformers writes it: {"weight_map": {tensor name: file name}}.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nongemm::weights {

struct ShardIndex {
  /// Names of files beside the index, each once, sorted.
  std::vector<std::string> files;
  std::map<std::string, std::string> shard_of;
};

/// @throws Error (kBadInput) for anything but names of files in the index's own folder
ShardIndex read_shard_index(const std::filesystem::path& path);

}  // namespace nongemm::weights
