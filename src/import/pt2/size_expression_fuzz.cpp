// A size expression: any text gives a number, nothing or an Error.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "import/pt2/size_expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    nongemm::pt2::evaluate_size(text, [](const std::string& symbol) -> std::optional<double> {
      if (symbol == "s0") return 3.0;
      return std::nullopt;
    });
  } catch (const nongemm::Error&) {
  }
  return 0;
}
