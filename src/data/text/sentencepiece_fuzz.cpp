// Fuzz target: any bytes given as a tokenizer.model are read or refused.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "data/fuzz_file.h"
#include "data/text/tokenizer_data.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const nongemm::data::FuzzFile file(data, size);
  try {
    nongemm::data::read_sentencepiece(file.path());
  } catch (const nongemm::Error&) {
  }
  return 0;
}
