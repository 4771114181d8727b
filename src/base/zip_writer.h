// Zip archives written into a stream, every entry stored as it is: what PyTorch's readers map in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

class ZipWriter {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;

  /// @param sink takes the archive's bytes in their order; whatever it throws passes through
  explicit ZipWriter(Sink sink) : sink_(std::move(sink)) {}

  /// Data begins at a multiple of 64 bytes, as torch.save has it. Archives and entries above 4 GiB get zip64's fields.
  void add(const std::string& name, std::span<const std::byte> data);
  void add(const std::string& name, std::string_view text);
  /// The directory; nothing may be added afterwards.
  void finish();

  std::uint64_t bytes() const { return written_; }

 private:
  struct Entry {
    std::string name;
    std::uint64_t size = 0;
    std::uint64_t header = 0;  // offset of the local header
    std::uint32_t crc32 = 0;
  };

  void put(std::string_view bytes);

  Sink sink_;
  std::vector<Entry> entries_;
  std::uint64_t written_ = 0;
};

}  // namespace nongemm
