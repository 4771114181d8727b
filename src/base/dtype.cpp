#include "base/dtype.h"

#include <array>

namespace nongemm {
namespace {

struct DTypeInfo {
  DType dtype;
  std::size_t size;
  std::string_view name;
  std::string_view short_name;
  std::string_view safetensors;
};

constexpr std::array kInfo = {
    DTypeInfo{DType::kUndefined, 0, "undefined", "undefined", ""},
    DTypeInfo{DType::kBool, 1, "bool", "bool", "BOOL"},
    DTypeInfo{DType::kUInt8, 1, "uint8", "u8", "U8"},
    DTypeInfo{DType::kInt8, 1, "int8", "i8", "I8"},
    DTypeInfo{DType::kInt16, 2, "int16", "i16", "I16"},
    DTypeInfo{DType::kInt32, 4, "int32", "i32", "I32"},
    DTypeInfo{DType::kInt64, 8, "int64", "i64", "I64"},
    DTypeInfo{DType::kFloat16, 2, "float16", "fp16", "F16"},
    DTypeInfo{DType::kBFloat16, 2, "bfloat16", "bf16", "BF16"},
    DTypeInfo{DType::kFloat32, 4, "float32", "fp32", "F32"},
    DTypeInfo{DType::kFloat64, 8, "float64", "fp64", "F64"},
};

}  // namespace

std::size_t size_of(DType dtype) { return kInfo[static_cast<std::size_t>(dtype)].size; }

std::string_view name_of(DType dtype) { return kInfo[static_cast<std::size_t>(dtype)].name; }

std::string_view short_name_of(DType dtype) {
  return is_floating(dtype) ? kInfo[static_cast<std::size_t>(dtype)].short_name : name_of(dtype);
}

std::optional<DType> parse_dtype(std::string_view text) {
  for (const DTypeInfo& info : kInfo) {
    if (info.dtype == DType::kUndefined) continue;
    if (text == info.name || text == info.short_name || text == info.safetensors) return info.dtype;
  }
  return std::nullopt;
}

bool is_floating(DType dtype) { return dtype >= DType::kFloat16; }

bool is_integral(DType dtype) { return dtype != DType::kUndefined && dtype < DType::kFloat16; }

}  // namespace nongemm
