// A file's bytes in order, inflated where they are compressed (gzip, found by content), read ahead by a thread of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace nongemm::traces {

class ByteSource {
 public:
  /// @throws Error (kIo) when it is no file that can be read
  explicit ByteSource(const std::filesystem::path& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Puts up to `most` bytes into `to`, waiting for them; 0 at the end.
  /// @throws Error (kIo) when the file cannot be read any further
  std::size_t read(char* to, std::size_t most);

  /// After the end: what was wrong with the file as a file; empty when nothing was.
  std::string complaint() const;

 private:
  class Ahead;
  std::unique_ptr<Ahead> ahead_;
};

}  // namespace nongemm::traces
