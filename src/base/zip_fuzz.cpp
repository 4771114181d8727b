// A zip archive: any bytes give entries that lie in the file, or an Error.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm;
  // The bytes outlive everything that is read from them.
  const std::shared_ptr<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), [](const std::byte*) {});
  try {
    const ZipArchive archive(MappedFile::of(bytes, size, "fuzz.zip"));
    for (const ZipArchive::Entry& entry : archive.entries()) {
      try {
        const ZipArchive::Content content = archive.read(entry);
        volatile char last = content.size > 0 ? content.text().back() : '0';
        (void)last;
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
