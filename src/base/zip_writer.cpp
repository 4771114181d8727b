#include "base/zip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <concepts>

namespace nongemm {
namespace {

// The fields' meaning: PKWARE's APPNOTE.TXT 6.3.
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint32_t kIn64 = 0xffffffff;
constexpr std::uint16_t kCountIn64 = 0xffff;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kPaddingExtra = 0x4246;  // "FB", which PyTorch pads with
constexpr std::uint16_t kNamesInUtf8 = 1 << 11;
constexpr std::uint16_t kVersion = 45;             // the first with zip64
constexpr std::uint16_t kFirstDay = (1 << 5) | 1;  // 1 January 1980: equal content gives equal bytes
constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::uint64_t kExtraHeaderBytes = 4;
constexpr std::uint64_t kEnd64Bytes = 56;

/// Numbers one after the other, lowest byte first.
class Record {
 public:
  template <std::unsigned_integral T>
  Record& add(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) text_ += static_cast<char>((value >> (8 * i)) & 0xff);
    return *this;
  }
  Record& add(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::uint32_t in_32(std::uint64_t value) { return value >= kIn64 ? kIn64 : static_cast<std::uint32_t>(value); }

std::uint32_t checksum(std::span<const std::byte> data) {
  constexpr std::size_t kStep = std::size_t{1} << 30;  // zlib counts in 32 bits
  uLong sum = ::crc32(0, nullptr, 0);
  for (std::size_t done = 0; done < data.size(); done += kStep) {
    const auto part = data.subspan(done, std::min(kStep, data.size() - done));
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
  }
  return static_cast<std::uint32_t>(sum);
}

/// What local headers and the directory have in common.
void add_description(Record& record, std::uint32_t crc32, std::uint64_t size, std::size_t name, std::size_t extra) {
  record.add(kNamesInUtf8).add(std::uint16_t{0}).add(std::uint16_t{0}).add(kFirstDay).add(crc32);
  record.add(in_32(size)).add(in_32(size));
  record.add(static_cast<std::uint16_t>(name)).add(static_cast<std::uint16_t>(extra));
}

}  // namespace

void ZipWriter::put(std::string_view bytes) {
  sink_(std::as_bytes(std::span(bytes)));
  written_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::string_view text) { add(name, std::as_bytes(std::span(text))); }

void ZipWriter::add(const std::string& name, std::span<const std::byte> data) {
  const Entry entry{name, data.size(), written_, checksum(data)};
  Record extra;
  if (entry.size >= kIn64) {
    extra.add(kZip64Extra).add(std::uint16_t{16}).add(entry.size).add(entry.size);
  }
  const std::uint64_t unpadded = written_ + kLocalHeaderBytes + name.size() + extra.text().size() + kExtraHeaderBytes;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  extra.add(kPaddingExtra).add(static_cast<std::uint16_t>(padding)).add(std::string(padding, 'Z'));

  Record header;
  header.add(kLocalHeader).add(kVersion);
  add_description(header, entry.crc32, entry.size, name.size(), extra.text().size());
  put(header.add(name).add(extra.text()).text());
  sink_(data);
  written_ += data.size();
  entries_.push_back(entry);
}

void ZipWriter::finish() {
  const std::uint64_t directory = written_;
  for (const Entry& entry : entries_) {
    Record large;
    if (entry.size >= kIn64) large.add(entry.size).add(entry.size);
    if (entry.header >= kIn64) large.add(entry.header);
    Record extra;
    if (!large.text().empty()) {
      extra.add(kZip64Extra).add(static_cast<std::uint16_t>(large.text().size())).add(large.text());
    }
    Record record;
    record.add(kDirectoryEntry).add(kVersion).add(kVersion);
    add_description(record, entry.crc32, entry.size, entry.name.size(), extra.text().size());
    record.add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint32_t{0});
    put(record.add(in_32(entry.header)).add(entry.name).add(extra.text()).text());
  }
  const std::uint64_t size = written_ - directory;
  const std::uint64_t count = entries_.size();
  if (directory >= kIn64 || size >= kIn64 || count >= kCountIn64) {
    const std::uint64_t end64 = written_;
    Record record;
    record.add(kEnd64).add(kEnd64Bytes - 12).add(kVersion).add(kVersion).add(std::uint32_t{0}).add(std::uint32_t{0});
    record.add(count).add(count).add(size).add(directory);
    record.add(kEnd64Locator).add(std::uint32_t{0}).add(end64).add(std::uint32_t{1});
    put(record.text());
  }
  const auto count_in_16 = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kCountIn64));
  Record end;
  end.add(kEnd).add(std::uint16_t{0}).add(std::uint16_t{0}).add(count_in_16).add(count_in_16);
  put(end.add(in_32(size)).add(in_32(directory)).add(std::uint16_t{0}).text());
}

}  // namespace nongemm
