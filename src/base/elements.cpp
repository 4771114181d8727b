#include "base/elements.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/float8.h"
#include "base/half.h"

namespace nongemm {
namespace {

template <typename T>
double read(const std::byte* data, std::size_t i) {
  return static_cast<double>(reinterpret_cast<const T*>(data)[i]);
}

template <typename T>
T whole(double value) {
  if (std::isnan(value)) return 0;
  // The largest number of 64 bits is none of double: what is not below the next power of two stops there.
  const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (value >= end) return std::numeric_limits<T>::max();
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  return static_cast<T>(value);
}

template <typename T>
void write(std::byte* data, std::size_t i, double value) {
  if constexpr (std::is_integral_v<T>) {
    reinterpret_cast<T*>(data)[i] = whole<T>(value);
  } else {
    reinterpret_cast<T*>(data)[i] = static_cast<T>(value);
  }
}

void write_bool(std::byte* data, std::size_t i, double value) { data[i] = std::byte{value != 0.0}; }

/// Types that are read and written through floats.
template <typename Bits, float (*kDecode)(Bits)>
double read_bits(const std::byte* data, std::size_t i) {
  return kDecode(reinterpret_cast<const Bits*>(data)[i]);
}
template <typename Bits, Bits (*kEncode)(float)>
void write_bits(std::byte* data, std::size_t i, double value) {
  reinterpret_cast<Bits*>(data)[i] = kEncode(static_cast<float>(value));
}

template <bool kSigned>
double read_nibble(const std::byte* data, std::size_t i) {
  const int bits = std::to_integer<int>(data[i / 2]) >> (i % 2 * 4) & 0xf;
  return kSigned && bits > 7 ? bits - 16 : bits;
}

template <bool kSigned>
void write_nibble(std::byte* data, std::size_t i, double value) {
  const int kept = std::clamp(static_cast<int>(whole<std::int8_t>(value)), kSigned ? -8 : 0, kSigned ? 7 : 15);
  const int shift = static_cast<int>(i % 2) * 4;
  const int others = std::to_integer<int>(data[i / 2]) & (0xf0 >> shift);
  data[i / 2] = static_cast<std::byte>(others | (kept & 0xf) << shift);
}

struct Access {
  DType dtype;
  ElementReader read;
  ElementWriter write;
};

template <typename T>
constexpr Access plain(DType dtype) {
  return {dtype, read<T>, write<T>};
}

constexpr std::array kAccess = {
    Access{DType::kBool, read<std::uint8_t>, write_bool},
    Access{DType::kUInt4, read_nibble<false>, write_nibble<false>},
    Access{DType::kInt4, read_nibble<true>, write_nibble<true>},
    plain<std::uint8_t>(DType::kUInt8),
    plain<std::int8_t>(DType::kInt8),
    plain<std::uint16_t>(DType::kUInt16),
    plain<std::int16_t>(DType::kInt16),
    plain<std::uint32_t>(DType::kUInt32),
    plain<std::int32_t>(DType::kInt32),
    plain<std::uint64_t>(DType::kUInt64),
    plain<std::int64_t>(DType::kInt64),
    Access{DType::kFloat8E4M3, read_bits<std::uint8_t, float8_e4m3_to_float>,
           write_bits<std::uint8_t, float_to_float8_e4m3>},
    Access{DType::kFloat8E5M2, read_bits<std::uint8_t, float8_e5m2_to_float>,
           write_bits<std::uint8_t, float_to_float8_e5m2>},
    Access{DType::kFloat16, read_bits<std::uint16_t, half_to_float>, write_bits<std::uint16_t, float_to_half>},
    Access{DType::kBFloat16, read_bits<std::uint16_t, bfloat16_to_float>, write_bits<std::uint16_t, float_to_bfloat16>},
    plain<float>(DType::kFloat32),
    plain<double>(DType::kFloat64),
};

const Access& access_of(DType dtype) {
  const auto at = std::find_if(kAccess.begin(), kAccess.end(), [&](const Access& row) { return row.dtype == dtype; });
  if (is_complex(dtype)) throw Error(ErrorKind::kUnsupported, "a complex number is not one value but two");
  if (at == kAccess.end())
    throw Error(ErrorKind::kFailed, "a tensor of an element type that is not known has no values");
  return *at;
}

/// Between two whole types of at least a byte, without the detour over double.
template <typename From, typename To>
void copy_whole(const std::byte* source, std::byte* target, std::size_t count) {
  const auto* from = reinterpret_cast<const From*>(source);
  auto* to = reinterpret_cast<To*>(target);
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = static_cast<To>(
        std::clamp<std::int64_t>(from[i], std::numeric_limits<To>::min(), std::numeric_limits<To>::max()));
  }
}

}  // namespace

ElementReader element_reader(DType dtype) { return access_of(dtype).read; }

ElementWriter element_writer(DType dtype) { return access_of(dtype).write; }

double element(const HostTensor& tensor, std::size_t i) { return element_reader(tensor.dtype)(tensor.data.get(), i); }

std::vector<double> elements_of(const HostTensor& tensor) {
  const ElementReader read = element_reader(tensor.dtype);
  std::vector<double> values(static_cast<std::size_t>(element_count(tensor.shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = read(tensor.data.get(), i);
  return values;
}

HostTensor tensor_from(DType dtype, Shape shape, const std::vector<double>& values) {
  const ElementWriter write = element_writer(dtype);
  auto [tensor, bytes] = HostTensor::allocate(dtype, std::move(shape));
  check_value_count(tensor.byte_size(), byte_size_of(dtype, values.size()), tensor.shape);
  for (std::size_t i = 0; i < values.size(); ++i) write(bytes, i, values[i]);
  return tensor;
}

HostTensor scalar_tensor(double value, DType dtype) { return tensor_from(dtype, {}, {value}); }

double rounded_to(DType dtype, double value) {
  alignas(8) std::array<std::byte, 8> bytes{};
  const Access& access = access_of(dtype);
  access.write(bytes.data(), 0, value);
  return access.read(bytes.data(), 0);
}

HostTensor converted(const HostTensor& tensor, DType dtype) {
  if (tensor.dtype == dtype) return tensor;
  auto [result, bytes] = HostTensor::allocate(dtype, tensor.shape);
  const auto count = static_cast<std::size_t>(element_count(tensor.shape));
  if (is_floating(tensor.dtype) && is_floating(dtype)) {
    convert_floating(tensor.dtype, tensor.data.get(), dtype, bytes, count);
  } else if (tensor.dtype == DType::kInt64 && dtype == DType::kInt32) {
    copy_whole<std::int64_t, std::int32_t>(tensor.data.get(), bytes, count);
  } else if (tensor.dtype == DType::kInt32 && dtype == DType::kInt64) {
    copy_whole<std::int32_t, std::int64_t>(tensor.data.get(), bytes, count);
  } else {
    const ElementReader read = element_reader(tensor.dtype);
    const ElementWriter write = element_writer(dtype);
    for (std::size_t i = 0; i < count; ++i) write(bytes, i, read(tensor.data.get(), i));
  }
  return result;
}

}  // namespace nongemm
