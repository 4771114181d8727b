// Fuzz target: any bytes given as a tokenizer.json make a tokenizer that tokenises, or are refused.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "data/fuzz_file.h"
#include "data/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const nongemm::data::FuzzFile file(data, size);
  try {
    nongemm::data::open_tokenizer(file.path())->encode("It's 1 text,  \t<s> \xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80\n ab");
  } catch (const nongemm::Error&) {
  }
  return 0;
}
