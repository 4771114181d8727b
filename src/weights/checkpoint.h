// A checkpoint on disk, whatever its format: tensors by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"

namespace nongemm::weights {

/// All tensors of one checkpoint. They keep the files they come from mapped.
class Checkpoint {
 public:
  /// @throws Error (kBadInput) when a name stands twice in `tensors`.
  Checkpoint(std::filesystem::path path, std::string format, NamedTensors tensors);

  /// nullptr when there is no such tensor.
  const HostTensor* find(std::string_view name) const;
  /// In the order of the file, shard after shard.
  const std::vector<std::string>& names() const { return names_; }
  /// What was opened: a file; of several shards, their index.
  const std::filesystem::path& path() const { return path_; }
  /// "safetensors", "torch archive", ... for reports.
  const std::string& format() const { return format_; }

 private:
  std::filesystem::path path_;
  std::string format_;
  std::vector<std::string> names_;
  std::map<std::string, HostTensor, std::less<>> tensors_;
};

/// How one file format is recognised and read. Each format has a file pair; checkpoint.cpp lists them.
struct CheckpointFormat {
  std::string_view name;
  /// @param head the first kHeadBytes of the file, or all of a shorter one
  bool (*recognises)(std::string_view head, std::uint64_t file_size);
  NamedTensors (*read)(const std::shared_ptr<const MappedFile>& file);

  static constexpr std::size_t kHeadBytes = 256;
};

/// Opens a file, an index of shards (*.index.json) or a folder that holds a model's weights under one of the usual
/// names. The format is recognised by content.
/// @throws Error naming the file, and the tensor where it is about one
Checkpoint open_checkpoint(const std::filesystem::path& path);

/// Whether open_checkpoint(folder) would find a file to read, or several to choose from. Throws Error(kIo).
bool holds_checkpoint(const std::filesystem::path& folder);

}  // namespace nongemm::weights
