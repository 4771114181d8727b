// A .pt2 file: any bytes give a graph with its weights that can be used, or an Error.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "graph_use.h"
#include "import/pt2/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm;
  // The bytes outlive everything that is read from them.
  const std::shared_ptr<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), [](const std::byte*) {});
  try {
    const std::shared_ptr<const ModelFile> file = pt2::open_pt2(MappedFile::of(bytes, size, "fuzz.pt2"));
    const Graph graph = file->build({});
    file->weights(graph);
    use(graph);
  } catch (const Error&) {
  }
  return 0;
}
