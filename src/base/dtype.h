// Element types of tensors, as every part of the program names them, and what other worlds call them: the one table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nongemm {

/// Integers before floating-point numbers before complex ones, and within each the narrower ones first: type promotion
/// counts on it.
enum class DType : std::uint8_t {
  kUndefined,  // not known before the run
  kBool,
  kUInt4,
  kInt4,
  kUInt8,
  kInt8,
  kUInt16,
  kInt16,
  kUInt32,
  kInt32,
  kUInt64,
  kInt64,
  kFloat8E4M3,  // without infinities (PyTorch's float8_e4m3fn)
  kFloat8E5M2,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kComplex32,  // two fp16: real and imaginary part
  kComplex64,
  kComplex128,
};

/// A row of the table. Names and numbers are empty, or -1, where a world has no such type.
struct DTypeInfo {
  DType dtype = DType::kUndefined;
  int bits = 0;                  // of one element
  std::string_view name;         // PyTorch, without its prefix: "float32", "int64", "float8_e4m3fn"
  std::string_view short_name;   // "fp32", "i64": options and reports
  std::string_view safetensors;  // "F32"
  std::string_view numpy;        // the array interface's: "<f4"
  std::string_view storage;      // PyTorch's storages in pickles: "FloatStorage"
  std::int32_t torch = -1;       // c10::ScalarType
  std::int32_t pt2 = -1;         // ScalarType of torch.export's schema
  std::int32_t onnx = -1;        // TensorProto.DataType, and ONNX Runtime's ONNXTensorElementDataType
  std::int32_t tensorrt = -1;    // nvinfer1::DataType
  bool runs_models = false;      // what a whole model may be run in (`--dtype`)
};

/// Every type but kUndefined.
std::span<const DTypeInfo> dtypes();
/// Of kUndefined too, whose name is "undefined".
const DTypeInfo& info(DType dtype);

/// The type to which a column of the table gives this number or name: `dtype_by(&DTypeInfo::onnx, 16)` is kBFloat16.
/// Nothing for numbers and names that are not in the table.
std::optional<DType> dtype_by(std::int32_t DTypeInfo::*column, std::int32_t number);
std::optional<DType> dtype_by(std::string_view DTypeInfo::*column, std::string_view name);

/// Bytes that hold one element: 0 for kUndefined, 1 for types of 4 bits, two of which share a byte in a tensor.
std::size_t size_of(DType dtype);

/// Bytes of `count` elements one after the other; types of 4 bits lie two to a byte, the first in the lower half.
std::size_t byte_size_of(DType dtype, std::size_t count);

/// The name PyTorch uses, without its prefix: "float32", "int64", "bool".
std::string_view name_of(DType dtype);

/// What options and reports call it: "fp32", "bf16", and PyTorch's names of what is no floating-point type.
std::string_view short_name_of(DType dtype);

/// Accepts PyTorch names ("float32"), short names ("fp32", "bf16", "i64") and safetensors names ("F32").
std::optional<DType> parse_dtype(std::string_view text);

/// Of real numbers: false for complex ones.
bool is_floating(DType dtype);
bool is_complex(DType dtype);
/// True for bool too: PyTorch counts it as integral.
bool is_integral(DType dtype);

/// Of the two parts of a complex number: fp32 for complex64. Of another type, itself.
DType part_of(DType dtype);
/// Whose parts are of this floating-point type or, where PyTorch has none (bf16), of fp32.
DType complex_of(DType dtype);

}  // namespace nongemm
