// A .pt2 archive: any bytes give a program and tensors, or an Error.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "import/pt2/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm;
  // The bytes outlive everything that is read from them.
  const std::shared_ptr<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), [](const std::byte*) {});
  try {
    const pt2::Pt2Archive archive(MappedFile::of(bytes, size, "fuzz.pt2"));
    parse_json(archive.program(), "fuzz.pt2");
  } catch (const Error&) {
  }
  return 0;
}
