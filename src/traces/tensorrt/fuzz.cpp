// Fuzz target: any bytes given as one of TensorRT's files are read or refused, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "traces/tensorrt/layers.h"
#include "traces/tensorrt/names.h"
#include "traces/tensorrt/profile.h"
#include "traces/tensorrt/times.h"

namespace {

template <typename Parse>
void attempt(const Parse& parse) {
  try {
    parse();
  } catch (const nongemm::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm::traces;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] {
    for (const EngineLayer& layer : parse_tensorrt_layers(text, "fuzz.json").layers) parts_of_name(layer.name);
  });
  attempt([&] { parse_tensorrt_profile(text, "fuzz.json"); });
  attempt([&] { parse_tensorrt_times(text, "fuzz.json"); });
  return 0;
}
