#include "import/pt2/types.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "import/common/json_access.h"

namespace nongemm::pt2 {
namespace {

constexpr std::array<std::pair<int, DType>, 10> kTypes = {{{1, DType::kUInt8},
                                                           {2, DType::kInt8},
                                                           {3, DType::kInt16},
                                                           {4, DType::kInt32},
                                                           {5, DType::kInt64},
                                                           {6, DType::kFloat16},
                                                           {7, DType::kFloat32},
                                                           {8, DType::kFloat64},
                                                           {12, DType::kBool},
                                                           {13, DType::kBFloat16}}};

constexpr std::array<const char*, 5> kMemoryFormats = {"", "contiguous_format", "channels_last", "channels_last_3d",
                                                       "preserve_format"};

}  // namespace

DType dtype_of(const Json& number) {
  const std::int64_t wanted = as_integer(number);
  for (const auto& [code, dtype] : kTypes) {
    if (code == wanted) return dtype;
  }
  throw Error(ErrorKind::kUnsupported, "element type " + std::to_string(wanted) + " of the file is not handled",
              "integers, bool, fp16, bf16, fp32 and fp64 are");
}

std::string memory_format_of(const Json& number) {
  const std::int64_t code = as_integer(number);
  if (code < 1 || code >= static_cast<std::int64_t>(kMemoryFormats.size())) {
    throw Error(ErrorKind::kBadInput, "memory format " + std::to_string(code) + " does not exist");
  }
  return kMemoryFormats[static_cast<std::size_t>(code)];
}

}  // namespace nongemm::pt2
