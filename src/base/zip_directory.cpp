#include "base/zip_directory.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <type_traits>

#include "base/error.h"

namespace nongemm {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::uint64_t kDirectoryEntryBytes = 46;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kEnd64LocatorBytes = 20;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint16_t kSizesFollowData = 8;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint32_t kIn64 = 0xffffffff;
constexpr std::size_t kMaxNameBytes = 4096;

struct RawEntry {
  ZipArchive::Entry entry;
  std::uint64_t header = 0;  // offset of the local header
  std::uint16_t flags = 0;
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> file, std::string_view file_name) : file_(file), file_name_(file_name) {}

  std::vector<ZipArchive::Entry> read() {
    find_directory();
    std::vector<RawEntry> raw;
    std::uint64_t at = directory_;
    for (std::uint64_t i = 0; i < count_; ++i) raw.push_back(read_entry(at));
    if (at != directory_ + directory_size_) refuse("its directory's size does not fit its entries");

    for (RawEntry& one : raw) check_local_header(one);
    check_overlap(raw);
    check_total_size(raw);

    std::vector<ZipArchive::Entry> entries;
    std::set<std::string_view> names;
    for (const RawEntry& one : raw) {
      if (!names.insert(one.entry.name).second) refuse("entry '" + one.entry.name + "' appears twice");
      if (!one.entry.name.ends_with('/')) entries.push_back(one.entry);
    }
    return entries;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kBadInput, std::string(file_name_) + ": damaged zip archive: " + what,
                "fetch or save the file again");
  }

  bool fits(std::uint64_t offset, std::uint64_t size) const {
    return offset <= file_.size() && size <= file_.size() - offset;
  }

  template <typename T>
  T get(std::uint64_t offset) const {
    static_assert(std::is_unsigned_v<T>);
    if (!fits(offset, sizeof(T))) refuse("it is truncated");
    T value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
      value = static_cast<T>((value << 7 << 1) | static_cast<T>(std::to_integer<unsigned>(file_[offset + i])));
    }
    return value;
  }
  std::uint16_t u16(std::uint64_t offset) const { return get<std::uint16_t>(offset); }
  std::uint32_t u32(std::uint64_t offset) const { return get<std::uint32_t>(offset); }
  std::uint64_t u64(std::uint64_t offset) const { return get<std::uint64_t>(offset); }

  std::string_view text(std::uint64_t offset, std::uint64_t size) const {
    if (!fits(offset, size)) refuse("it is truncated");
    return {reinterpret_cast<const char*>(file_.data()) + offset, size};
  }

  std::uint64_t find_end() const {
    if (file_.size() < kEndBytes) refuse("it is truncated");
    const std::uint64_t last = file_.size() - kEndBytes;
    const std::uint64_t first = last - std::min<std::uint64_t>(last, 0xffff);
    for (std::uint64_t at = last + 1; at-- > first;) {
      // The comment must reach to the file's end: a signature inside a comment is none.
      if (u32(at) == kEnd && at + kEndBytes + u16(at + 20) == file_.size()) return at;
    }
    refuse("its directory is missing, it is truncated");
  }

  void find_directory() {
    const std::uint64_t end = find_end();
    std::uint64_t limit = end;
    std::uint64_t count_here = 0;
    if (end >= kEnd64LocatorBytes && u32(end - kEnd64LocatorBytes) == kEnd64Locator) {
      const std::uint64_t locator = end - kEnd64LocatorBytes;
      const std::uint64_t end64 = u64(locator + 8);
      if (u32(locator + 4) != 0 || u32(locator + 16) > 1) refuse("it is a part of several disks");
      if (!fits(end64, kEnd64Bytes) || end64 + kEnd64Bytes > locator || u32(end64) != kEnd64) {
        refuse("its zip64 directory end is not where it should be");
      }
      if (u32(end64 + 16) != 0 || u32(end64 + 20) != 0) refuse("it is a part of several disks");
      count_here = u64(end64 + 24);
      count_ = u64(end64 + 32);
      directory_size_ = u64(end64 + 40);
      directory_ = u64(end64 + 48);
      limit = end64;
      check_agrees(u16(end + 10), 0xffff, count_);
      check_agrees(u32(end + 12), kIn64, directory_size_);
      check_agrees(u32(end + 16), kIn64, directory_);
    } else {
      if (u16(end + 4) != 0 || u16(end + 6) != 0) refuse("it is a part of several disks");
      count_here = u16(end + 8);
      count_ = u16(end + 10);
      directory_size_ = u32(end + 12);
      directory_ = u32(end + 16);
    }
    if (count_here != count_) refuse("it is a part of several disks");
    if (directory_ > limit || directory_size_ > limit - directory_) refuse("its directory reaches beyond its end");
    if (count_ > directory_size_ / kDirectoryEntryBytes) refuse("its directory has no room for its entries");
  }

  void check_agrees(std::uint64_t small, std::uint64_t placeholder, std::uint64_t large) const {
    if (small != placeholder && small != large) refuse("its two directory ends contradict each other");
  }

  /// The entry at `at`, which is moved behind it.
  RawEntry read_entry(std::uint64_t& at) const {
    if (directory_ + directory_size_ - at < kDirectoryEntryBytes || u32(at) != kDirectoryEntry) {
      refuse("its directory's size does not fit its entries");
    }
    RawEntry raw;
    ZipArchive::Entry& entry = raw.entry;
    const std::uint64_t name_bytes = u16(at + 28);
    const std::uint64_t extra_bytes = u16(at + 30);
    const std::uint64_t size = kDirectoryEntryBytes + name_bytes + extra_bytes + u16(at + 32);
    if (size > directory_ + directory_size_ - at) refuse("its directory is truncated");
    entry.name = text(at + kDirectoryEntryBytes, name_bytes);
    check_name(entry.name);
    raw.flags = u16(at + 8);
    const std::uint16_t method = u16(at + 10);
    if ((raw.flags & kEncrypted) != 0) refuse("entry '" + entry.name + "' is encrypted");
    if (method != kStored && method != kDeflated) {
      refuse("entry '" + entry.name + "' uses compression method " + std::to_string(method) +
             ", known are 0 and 8 (deflate)");
    }
    entry.deflated = method == kDeflated;
    entry.crc32 = u32(at + 16);
    entry.compressed_size = u32(at + 20);
    entry.size = u32(at + 24);
    raw.header = u32(at + 42);
    if (u16(at + 34) != 0) refuse("entry '" + entry.name + "' lies on another disk");
    read_zip64_extra(at + kDirectoryEntryBytes + name_bytes, extra_bytes, raw);
    if (!entry.deflated && entry.size != entry.compressed_size) {
      refuse("entry '" + entry.name + "' is stored, but its sizes differ");
    }
    at += size;
    return raw;
  }

  void read_zip64_extra(std::uint64_t at, std::uint64_t bytes, RawEntry& raw) const {
    const std::uint64_t end = at + bytes;
    while (end - at >= 4) {
      const std::uint16_t id = u16(at);
      const std::uint64_t size = u16(at + 2);
      at += 4;
      if (size > end - at) refuse("entry '" + raw.entry.name + "' has a damaged extra field");
      if (id == kZip64Extra) {
        std::uint64_t field = at;
        for (std::uint64_t* value : {&raw.entry.size, &raw.entry.compressed_size, &raw.header}) {
          if (*value != kIn64) continue;
          if (at + size - field < 8) refuse("entry '" + raw.entry.name + "' has a damaged extra field");
          *value = u64(field);
          field += 8;
        }
        return;
      }
      at += size;
    }
  }

  void check_name(const std::string& name) const {
    if (name.empty() || name.size() > kMaxNameBytes)
      refuse("an entry's name has " + std::to_string(name.size()) + " bytes");
    // Names are shown in messages.
    if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 0 && c < ' '; })) {
      refuse("an entry's name holds a control character");
    }
    const bool plain = name.find('\\') == std::string::npos && name[0] != '/';
    const std::string framed = "/" + name + "/";
    if (!plain || framed.find("/../") != std::string::npos) refuse("entry '" + name + "' leads out of the archive");
  }

  /// The header in front of the data must say what the directory says; also finds the data.
  void check_local_header(RawEntry& raw) const {
    ZipArchive::Entry& entry = raw.entry;
    if (!fits(raw.header, kLocalHeaderBytes) || u32(raw.header) != kLocalHeader) {
      refuse("entry '" + entry.name + "' is not where the directory says");
    }
    const std::uint64_t name_bytes = u16(raw.header + 26);
    entry.offset = raw.header + kLocalHeaderBytes + name_bytes + u16(raw.header + 28);
    const bool same_name = text(raw.header + kLocalHeaderBytes, name_bytes) == entry.name;
    const bool same_method = u16(raw.header + 8) == (entry.deflated ? kDeflated : kStored);
    const bool same_flags = ((u16(raw.header + 6) ^ raw.flags) & (kEncrypted | kSizesFollowData)) == 0;
    bool same_sizes = true;
    if ((raw.flags & kSizesFollowData) == 0) {
      const std::uint32_t compressed_size = u32(raw.header + 18);
      const std::uint32_t size = u32(raw.header + 22);
      same_sizes = (compressed_size == kIn64 || compressed_size == entry.compressed_size) &&
                   (size == kIn64 || size == entry.size);
    }
    if (!same_name || !same_method || !same_flags || !same_sizes) {
      refuse("entry '" + entry.name + "' is described differently by the directory and by its own header");
    }
    if (entry.offset > directory_ || entry.compressed_size > directory_ - entry.offset) {
      refuse("entry '" + entry.name + "' reaches beyond the data");
    }
  }

  void check_overlap(const std::vector<RawEntry>& raw) const {
    std::vector<const RawEntry*> sorted;
    for (const RawEntry& one : raw) sorted.push_back(&one);
    std::sort(sorted.begin(), sorted.end(), [](const RawEntry* a, const RawEntry* b) { return a->header < b->header; });
    std::uint64_t covered = 0;
    for (const RawEntry* one : sorted) {
      if (one->header < covered) refuse("entry '" + one->entry.name + "' overlaps another");
      covered = one->entry.offset + one->entry.compressed_size;
    }
  }

  /// A bomb is told by what it would become: weights hardly shrink when deflated.
  void check_total_size(const std::vector<RawEntry>& raw) const {
    constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{16} << 20;
    constexpr std::uint64_t kGrowthAllowed = 50;
    const std::uint64_t allowed = kAlwaysAllowed + kGrowthAllowed * file_.size();
    std::uint64_t total = 0;
    for (const RawEntry& one : raw) {
      if (!one.entry.deflated) continue;
      if (one.entry.size > allowed - total) {
        refuse("its " + std::to_string(file_.size()) + " bytes would inflate to more than " + std::to_string(allowed));
      }
      total += one.entry.size;
    }
  }

  std::span<const std::byte> file_;
  std::string_view file_name_;
  std::uint64_t count_ = 0;
  std::uint64_t directory_ = 0;
  std::uint64_t directory_size_ = 0;
};

}  // namespace

std::vector<ZipArchive::Entry> read_zip_directory(std::span<const std::byte> file, std::string_view file_name) {
  return DirectoryReader(file, file_name).read();
}

}  // namespace nongemm
