#include "pt2/types.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"

namespace nongemm::pt2 {
namespace {

constexpr std::array<const char*, 5> kMemoryFormats = {"", "contiguous_format", "channels_last", "channels_last_3d",
                                                       "preserve_format"};

}  // namespace

DType dtype_of(const Json& number) {
  const std::int64_t wanted = as_integer(number);
  if (wanted >= 0 && wanted <= INT32_MAX) {
    if (const auto dtype = dtype_by(&DTypeInfo::pt2, static_cast<std::int32_t>(wanted))) return *dtype;
  }
  throw Error(ErrorKind::kUnsupported, "element type " + std::to_string(wanted) + " of the file is not handled",
              "integers, bool, fp8, fp16, bf16, fp32, fp64 and complex numbers are");
}

int number_of(DType dtype) {
  if (const std::int32_t number = info(dtype).pt2; number > 0) return number;
  throw Error(ErrorKind::kUnsupported, "torch.export's files have no element type " + std::string(info(dtype).name));
}

std::string memory_format_of(const Json& number) {
  const std::int64_t code = as_integer(number);
  if (code < 1 || code >= static_cast<std::int64_t>(kMemoryFormats.size())) {
    throw Error(ErrorKind::kBadInput, "memory format " + std::to_string(code) + " does not exist");
  }
  return kMemoryFormats[static_cast<std::size_t>(code)];
}

Type merged(const Type& file, const Type& rule) {
  if (file.kind != rule.kind || file.dtype != rule.dtype || file.shape.size() != rule.shape.size()) return file;
  Type type = rule;
  for (std::size_t i = 0; i < file.shape.size(); ++i) {
    if (type.shape[i] == kDynamic) type.shape[i] = file.shape[i];
    if (file.shape[i] != kDynamic && file.shape[i] != type.shape[i]) return file;
  }
  if (type.shape != rule.shape) type.strides.clear();
  return type;
}

std::optional<int> memory_format_number(std::string_view name) {
  const auto at = std::find(kMemoryFormats.begin() + 1, kMemoryFormats.end(), name);
  if (at == kMemoryFormats.end()) return std::nullopt;
  return static_cast<int>(at - kMemoryFormats.begin());
}

}  // namespace nongemm::pt2
