#include "base/dtype.h"

#include <algorithm>
#include <array>

namespace nongemm {
namespace {

// clang-format off
constexpr std::array kTable = {
    //                                bits  PyTorch          short       safetensors numpy  storage           torch pt2 onnx tensorrt
    DTypeInfo{DType::kUndefined,       0, "undefined",     "undefined", "",        "",    "",                -1,  0,  0, -1},
    DTypeInfo{DType::kBool,            8, "bool",          "bool",      "BOOL",    "|b1", "BoolStorage",     11, 12,  9,  4},
    DTypeInfo{DType::kUInt4,           4, "uint4",         "u4",        "",        "",    "",                33, -1, 21, -1},
    DTypeInfo{DType::kInt4,            4, "int4",          "i4",        "",        "",    "",                40, -1, 22,  9},
    DTypeInfo{DType::kUInt8,           8, "uint8",         "u8",        "U8",      "|u1", "ByteStorage",      0,  1,  2,  5},
    DTypeInfo{DType::kInt8,            8, "int8",          "i8",        "I8",      "|i1", "CharStorage",      1,  2,  3,  2},
    DTypeInfo{DType::kUInt16,         16, "uint16",        "u16",       "U16",     "<u2", "UInt16Storage",   27, 28,  4, -1},
    DTypeInfo{DType::kInt16,          16, "int16",         "i16",       "I16",     "<i2", "ShortStorage",     2,  3,  5, -1},
    DTypeInfo{DType::kUInt32,         32, "uint32",        "u32",       "U32",     "<u4", "UInt32Storage",   28, -1, 12, -1},
    DTypeInfo{DType::kInt32,          32, "int32",         "i32",       "I32",     "<i4", "IntStorage",       3,  4,  6,  3},
    DTypeInfo{DType::kUInt64,         64, "uint64",        "u64",       "U64",     "<u8", "UInt64Storage",   29, -1, 13, -1},
    DTypeInfo{DType::kInt64,          64, "int64",         "i64",       "I64",     "<i8", "LongStorage",      4,  5,  7,  8},
    DTypeInfo{DType::kFloat8E4M3,      8, "float8_e4m3fn", "fp8_e4m3",  "F8_E4M3", "",    "Float8_e4m3fnStorage", 24, 29, 17, 6},
    DTypeInfo{DType::kFloat8E5M2,      8, "float8_e5m2",   "fp8_e5m2",  "F8_E5M2", "",    "Float8_e5m2Storage", 23, 30, 19, -1},
    DTypeInfo{DType::kFloat16,        16, "float16",       "fp16",      "F16",     "<f2", "HalfStorage",      5,  6, 10,  1, true},
    DTypeInfo{DType::kBFloat16,       16, "bfloat16",      "bf16",      "BF16",    "",    "BFloat16Storage", 15, 13, 16,  7, true},
    DTypeInfo{DType::kFloat32,        32, "float32",       "fp32",      "F32",     "<f4", "FloatStorage",     6,  7,  1,  0, true},
    DTypeInfo{DType::kFloat64,        64, "float64",       "fp64",      "F64",     "<f8", "DoubleStorage",    7,  8, 11, -1},
    DTypeInfo{DType::kComplex32,      32, "complex32",     "c32",       "",        "",    "",                 8,  9, -1, -1},
    DTypeInfo{DType::kComplex64,      64, "complex64",     "c64",       "",        "",    "",                 9, 10, 14, -1},
    DTypeInfo{DType::kComplex128,    128, "complex128",    "c128",      "",        "",     "",               10, 11, 15, -1},
};
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].dtype != static_cast<DType>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "rows stand in the order of the enumerators");

template <typename Value>
std::optional<DType> find_by(Value DTypeInfo::*column, const Value& wanted) {
  const auto rows = dtypes();
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const DTypeInfo& row) { return row.*column == wanted; });
  return at == rows.end() ? std::nullopt : std::optional(at->dtype);
}

}  // namespace

std::span<const DTypeInfo> dtypes() { return std::span(kTable).subspan(1); }

const DTypeInfo& info(DType dtype) { return kTable[static_cast<std::size_t>(dtype)]; }

std::optional<DType> dtype_by(std::int32_t DTypeInfo::*column, std::int32_t number) {
  return number < 0 ? std::nullopt : find_by(column, number);
}

std::optional<DType> dtype_by(std::string_view DTypeInfo::*column, std::string_view name) {
  return name.empty() ? std::nullopt : find_by(column, name);
}

std::size_t size_of(DType dtype) { return (static_cast<std::size_t>(info(dtype).bits) + 7) / 8; }

std::size_t byte_size_of(DType dtype, std::size_t count) {
  const int bits = info(dtype).bits;
  return bits == 4 ? count / 2 + count % 2 : count * size_of(dtype);
}

std::string_view name_of(DType dtype) { return info(dtype).name; }

std::string_view short_name_of(DType dtype) { return is_floating(dtype) ? info(dtype).short_name : name_of(dtype); }

std::optional<DType> parse_dtype(std::string_view text) {
  for (const auto column : {&DTypeInfo::name, &DTypeInfo::short_name, &DTypeInfo::safetensors}) {
    if (const std::optional<DType> dtype = dtype_by(column, text)) return dtype;
  }
  return std::nullopt;
}

bool is_floating(DType dtype) { return dtype >= DType::kFloat8E4M3 && dtype <= DType::kFloat64; }

bool is_complex(DType dtype) { return dtype >= DType::kComplex32; }

DType part_of(DType dtype) {
  switch (dtype) {
    case DType::kComplex32:
      return DType::kFloat16;
    case DType::kComplex64:
      return DType::kFloat32;
    case DType::kComplex128:
      return DType::kFloat64;
    default:
      return dtype;
  }
}

DType complex_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return DType::kComplex32;
    case DType::kFloat64:
      return DType::kComplex128;
    default:
      return DType::kComplex64;
  }
}

bool is_integral(DType dtype) { return dtype != DType::kUndefined && dtype < DType::kFloat8E4M3; }

}  // namespace nongemm
