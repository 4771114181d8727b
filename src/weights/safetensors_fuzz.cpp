// Fuzz target: any bytes given as a safetensors file are read or refused, never a crash.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    nongemm::weights::parse_safetensors_header(std::as_bytes(std::span(data, size)), "fuzz.safetensors");
  } catch (const nongemm::Error&) {
  }
  return 0;
}
