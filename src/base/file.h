// Files: mapped for reading, read whole with a limit, replaced atomically. Every failure names the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/process_state.h"

namespace nongemm {

/// A regular file mapped read-only. Whatever points into it holds the shared pointer.
class MappedFile {
 public:
  /// @throws Error (kIo) when the path is no regular file or cannot be opened.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  /// Bytes that lie somewhere already (an archive inside an archive), to be read as a file of their own.
  static std::shared_ptr<const MappedFile> of(std::shared_ptr<const std::byte> data, std::size_t size,
                                              std::filesystem::path path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile(std::filesystem::path path, std::span<const std::byte> bytes,
             std::shared_ptr<const std::byte> owner = nullptr);

  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const std::byte> owner_;  // null when the mapping is this object's own
};

/// The whole content of a regular file.
/// @throws Error (kIo) when it cannot be read, (kBadInput) when it is longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// The user's folder for what can be made again: $XDG_CACHE_HOME/nongemm or ~/.cache/nongemm; empty when neither is
/// set.
std::filesystem::path cache_folder();

/// Writes beside the target and renames at commit(): the target is the old file or the complete new one, never half of
/// it. Without commit() nothing remains. A target that is no regular file (a device, a pipe) is written directly.
class AtomicFile {
 public:
  /// @throws Error (kIo) naming the path and the reason, here and in write() and commit().
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view content);
  void write(std::span<const std::byte> content);
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error_number) const;

  std::filesystem::path path_;       // as the user gave it, for messages
  std::filesystem::path target_;     // symbolic links resolved
  std::filesystem::path temporary_;  // empty when the target is written directly
  std::optional<Temporary> registered_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace nongemm
