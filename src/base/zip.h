// Zip archives, read from a mapping: PyTorch's .pth, .bin and .pt2 files are such.
//
// The directory is read here and not by libzip, which does not tell where an entry's bytes lie: only so can stored
// entries be used in place. One reader also means one opinion of what the archive holds; archives that two readers
// could understand differently are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace nongemm {

class ZipArchive {
 public:
  struct Entry {
    std::string name;
    /// In the archive; equal to `size` for a stored entry.
    std::uint64_t compressed_size = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  // of the data, from the beginning of the file
    std::uint32_t crc32 = 0;
    bool deflated = false;
  };

  struct Content {
    std::shared_ptr<const std::byte> data;
    std::size_t size = 0;

    std::string_view text() const { return {reinterpret_cast<const char*>(data.get()), size}; }
  };

  /// Reads and checks the directory and every local header: sizes that contradict each other or the file, overlapping
  /// entries, names that lead out of a folder, names that stand twice, encryption, several disks, and entries that
  /// would inflate to many times the file's size are refused.
  /// @throws Error (kBadInput) naming the file and the entry
  explicit ZipArchive(std::shared_ptr<const MappedFile> file);

  // The index refers to the names inside the entries.
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const std::filesystem::path& path() const { return file_->path(); }
  /// In the directory's order, folders left out.
  const std::vector<Entry>& entries() const { return entries_; }
  /// nullptr when there is no such entry.
  const Entry* find(std::string_view name) const;

  /// A stored entry's bytes in place, unchecked (a checksum over gigabytes takes seconds); a deflated entry inflated
  /// and checked. Either keeps living after the archive.
  /// @throws Error (kBadInput) when the data is damaged
  Content read(const Entry& entry) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<Entry> entries_;
  std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace nongemm
