#include "base/zip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/tensor.h"
#include "base/zip_directory.h"

namespace nongemm {
namespace {

/// zlib counts in 32 bits.
constexpr std::uint64_t kStep = std::uint64_t{1} << 30;

/// True when `source` is one whole deflate stream that fills `target` exactly.
bool inflate_all(const std::byte* source, std::uint64_t source_size, std::byte* target, std::uint64_t target_size) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    throw Error(ErrorKind::kOutOfMemory, "no memory to inflate an archive");
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(source + read));
    stream.avail_in = static_cast<uInt>(std::min(kStep, source_size - read));
    stream.next_out = reinterpret_cast<Bytef*>(target + written);
    stream.avail_out = static_cast<uInt>(std::min(kStep, target_size - written));
    const uInt in_before = stream.avail_in;
    const uInt out_before = stream.avail_out;
    result = inflate(&stream, Z_NO_FLUSH);
    read += in_before - stream.avail_in;
    written += out_before - stream.avail_out;
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END && read == source_size && written == target_size;
}

std::uint32_t checksum(const std::byte* data, std::uint64_t size) {
  uLong sum = ::crc32(0, nullptr, 0);
  for (std::uint64_t done = 0; done < size; done += kStep) {
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(data + done), static_cast<uInt>(std::min(kStep, size - done)));
  }
  return static_cast<std::uint32_t>(sum);
}

}  // namespace

ZipArchive::ZipArchive(std::shared_ptr<const MappedFile> file)
    : file_(std::move(file)), entries_(read_zip_directory(file_->bytes(), file_->path().string())) {
  for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

ZipArchive::Content ZipArchive::read(const Entry& entry) const {
  const std::byte* source = file_->bytes().data() + entry.offset;
  if (!entry.deflated) return {std::shared_ptr<const std::byte>(file_, source), static_cast<std::size_t>(entry.size)};
  auto [memory, target] = HostTensor::allocate(DType::kUInt8, {static_cast<std::int64_t>(entry.size)});
  if (!inflate_all(source, entry.compressed_size, target, entry.size) || checksum(target, entry.size) != entry.crc32) {
    throw Error(
        ErrorKind::kBadInput,
        path().string() + ": damaged zip archive: entry '" + entry.name + "' does not inflate to what it claims",
        "fetch or save the file again");
  }
  return {memory.data, static_cast<std::size_t>(entry.size)};
}

}  // namespace nongemm
