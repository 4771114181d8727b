// An .onnx file as far as it is read without the operator table, and its copy with other names.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "import/onnx/model.h"
#include "onnx/name_nodes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm;
  // The bytes outlive everything that is read from them.
  const std::shared_ptr<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), [](const std::byte*) {});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    onnx::read_model(MappedFile::of(bytes, size, "fuzz.onnx"));
    const std::string named = onnx::with_named_nodes(text);
    // What was read is read again, and then nothing is left to be named.
    if (!named.empty() && !onnx::with_named_nodes(named).empty()) __builtin_trap();
    onnx::external_locations(text);
  } catch (const Error&) {
  }
  return 0;
}
