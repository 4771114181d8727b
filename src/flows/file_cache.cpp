#include "flows/file_cache.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace nongemm {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30;

/// 128 bits of what was added, in order. Tells files apart that differ by accident, not by intent.
class Digest {
 public:
  void add(std::span<const std::byte> bytes) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    std::size_t at = 0;
    for (; at + kWord <= bytes.size(); at += kWord) add_word(bytes.data() + at, kWord);
    if (at < bytes.size()) add_word(bytes.data() + at, bytes.size() - at);
    std::uint64_t length = bytes.size();
    add_word(reinterpret_cast<const std::byte*>(&length), kWord);
  }

  std::string text() const { return fmt::format("{:016x}{:016x}", state_[0], state_[1]); }

 private:
  void add_word(const std::byte* bytes, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    // Odd multipliers with mixed bits (those of SplitMix64), so that every step can be undone and loses nothing.
    state_[0] = std::rotl((state_[0] ^ word) * 0xbf58476d1ce4e5b9U, 29);
    state_[1] = std::rotl((state_[1] + word) * 0x94d049bb133111ebU, 37) ^ state_[0];
  }

  std::array<std::uint64_t, 2> state_{0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU};
};

void add_file(const std::filesystem::path& path, Digest& digest) {
  if (!path.empty()) digest.add(MappedFile::open(path)->bytes());
}

}  // namespace

FileCache::FileCache(const std::string& setting, std::string_view flow) {
  if (setting == "off") return;
  folder_ = !setting.empty()         ? std::filesystem::path(setting)
            : cache_folder().empty() ? std::filesystem::path()
                                     : cache_folder() / flow;
  std::error_code error;
  if (!folder_.empty()) std::filesystem::create_directories(folder_, error);
}

std::string FileCache::key_of(const std::vector<std::filesystem::path>& files, std::string_view what) {
  Digest digest;
  digest.add(std::as_bytes(std::span(what)));
  for (const std::filesystem::path& file : files) add_file(file, digest);
  return digest.text();
}

std::optional<std::string> FileCache::read(const std::string& name) const {
  std::error_code error;
  if (!enabled() || !std::filesystem::is_regular_file(folder_ / name, error)) return std::nullopt;
  try {
    return read_file(folder_ / name, kMostBytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void FileCache::write(const std::string& name, std::string_view bytes) const {
  if (!enabled()) return;
  try {
    write_file_atomically(folder_ / name, bytes);
  } catch (const Error&) {  // no room, no right: built again next time
  }
}

}  // namespace nongemm
