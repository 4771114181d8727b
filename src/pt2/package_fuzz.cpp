// Fuzz target: packages of AOTInductor, whatever they hold, give an Error or plain data.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "pt2/package.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(size);
  if (size > 0) std::memcpy(bytes->data(), data, size);
  try {
    nongemm::pt2::source_nodes_of(nongemm::pt2::read_package(
        nongemm::MappedFile::of(std::shared_ptr<const std::byte>(bytes, bytes->data()), size, "package.pt2")));
  } catch (const nongemm::Error&) {  // refused
  }
  return 0;
}
