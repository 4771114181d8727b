#include "import/onnx/tensors.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "onnx/wire.h"
#include "weights/checked_size.h"

namespace nongemm::onnx {

namespace {

// Field numbers of onnx.proto.
enum Tensor : protozero::pbf_tag_type {
  kDims = 1,
  kDataType = 2,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kExternalData = 13,
  kDataLocation = 14,
};
enum Entry : protozero::pbf_tag_type { kKey = 1, kValue = 2 };
constexpr std::int32_t kExternal = 1;

/// A field in another form than it has to have is not that field.
constexpr std::uint32_t text(protozero::pbf_tag_type tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::length_delimited);
}
constexpr std::uint32_t number(protozero::pbf_tag_type tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::varint);
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kBadInput, fmt::format("tensor '{}': {}", name, what));
}

template <typename T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Elements that stand in the message one by one, as the bytes of `dtype`.
void append_integer(std::string& bytes, DType dtype, std::int64_t value) {
  switch (size_of(dtype)) {
    case 1:
      return append(bytes, static_cast<std::uint8_t>(value));
    case 2:
      return append(bytes, static_cast<std::uint16_t>(value));
    case 4:
      return append(bytes, static_cast<std::int32_t>(value));
    default:
      return append(bytes, value);
  }
}

std::pair<std::string, std::string> external_entry(protozero::pbf_reader message) {
  std::pair<std::string, std::string> entry;
  while (message.next()) {
    if (message.tag_and_type() == text(kKey)) {
      entry.first = message.get_string();
    } else if (message.tag_and_type() == text(kValue)) {
      entry.second = message.get_string();
    } else {
      message.skip();
    }
  }
  return entry;
}

HostTensor copy_of(DType dtype, const Shape& shape, std::string_view bytes) {
  auto [tensor, target] = HostTensor::allocate(dtype, shape);
  if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

struct TensorReader::Parts {
  std::string name;
  std::int32_t type = 0;
  Shape shape;
  std::optional<std::string_view> raw;
  std::string elements;  // of the typed fields
  std::vector<std::pair<std::string, std::string>> external;
  bool is_external = false;
};

TensorReader::Parts TensorReader::parts_of(protozero::pbf_reader message) const {
  Parts parts;
  protozero::pbf_reader again = message;
  while (again.next()) {  // typed elements need the type, which may stand behind them
    if (again.tag_and_type() == number(kDataType)) {
      parts.type = again.get_int32();
    } else {
      again.skip();
    }
  }
  const DType dtype = dtype_of(parts.type);
  while (message.next()) {
    switch (message.tag_and_type()) {
      case text(kDims):
        for (const std::int64_t dim : message.get_packed_int64()) parts.shape.push_back(dim);
        break;
      case number(kDims):
        parts.shape.push_back(message.get_int64());
        break;
      case text(kName):
        parts.name = message.get_string();
        break;
      case text(kRawData): {
        const protozero::data_view view = message.get_view();
        parts.raw = std::string_view(view.data(), view.size());
        break;
      }
      case text(kFloatData):
        for (const float value : message.get_packed_float()) append(parts.elements, value);
        break;
      case text(kDoubleData):
        for (const double value : message.get_packed_double()) append(parts.elements, value);
        break;
      case text(kInt32Data):
        for (const std::int32_t value : message.get_packed_int32()) append_integer(parts.elements, dtype, value);
        break;
      case text(kInt64Data):
        for (const std::int64_t value : message.get_packed_int64()) append_integer(parts.elements, dtype, value);
        break;
      case text(kExternalData):
        parts.external.push_back(external_entry(message.get_message()));
        break;
      case number(kDataLocation):
        parts.is_external = message.get_enum() == kExternal;
        break;
      default:
        message.skip();
    }
  }
  return parts;
}

std::pair<std::string, HostTensor> TensorReader::read(protozero::pbf_reader message) {
  const Parts parts = parts_of(message);
  const DType dtype = dtype_of(parts.type);
  if (dtype == DType::kUndefined) {
    if (parts.is_external) external_file(parts.name, location_of(parts));
    return {parts.name, HostTensor()};
  }
  const std::optional<std::uint64_t> size = weights::checked_byte_size(dtype, parts.shape);
  if (!size) refuse(parts.name, "shape " + to_string(parts.shape) + " is not possible");
  if (parts.is_external) return {parts.name, external(parts.name, parts)};
  const std::string_view bytes = parts.raw ? *parts.raw : std::string_view(parts.elements);
  if (bytes.size() != *size) {
    refuse(parts.name, fmt::format("holds {} bytes, shape {} needs {}", bytes.size(), to_string(parts.shape), *size));
  }
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  if (parts.raw && reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) == 0) {
    return {parts.name, {dtype, parts.shape, std::shared_ptr<const std::byte>(file_, data)}};
  }
  return {parts.name, copy_of(dtype, parts.shape, bytes)};
}

const MappedFile& TensorReader::external_file(const std::string& name, const std::string& location) {
  const std::filesystem::path path = location;
  bool leads_out = path.empty() || path.is_absolute();
  for (const std::filesystem::path& part : path) leads_out = leads_out || part == "..";
  if (leads_out) refuse(name, "its external data '" + location + "' lies outside the model's folder");
  std::shared_ptr<const MappedFile>& file = external_[location].file;
  if (file == nullptr) file = MappedFile::open(file_->path().parent_path() / path);
  return *file;
}

std::string TensorReader::location_of(const Parts& parts) {
  std::string location;
  for (const auto& [key, value] : parts.external) {
    if (key == "location") location = value;
  }
  return location;
}

HostTensor TensorReader::external(const std::string& name, const Parts& parts) {
  const std::string location = location_of(parts);
  std::uint64_t offset = 0;
  for (const auto& [key, value] : parts.external) {
    if (key != "offset") continue;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), offset);
    if (error != std::errc() || end != value.data() + value.size()) refuse(name, "its offset is no number");
  }
  const MappedFile& file = external_file(name, location);
  const DType dtype = dtype_of(parts.type);
  const std::uint64_t size = *weights::checked_byte_size(dtype, parts.shape);
  if (offset > file.bytes().size() || size > file.bytes().size() - offset) {
    refuse(name, fmt::format("reaches beyond the end of '{}'", location));
  }
  const std::byte* data = file.bytes().data() + offset;
  if (reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) == 0) {
    return {dtype, parts.shape, std::shared_ptr<const std::byte>(external_[location].file, data)};
  }
  // Tensors that lie in each other could make any amount of memory of a small file.
  if ((external_[location].copied += size) > file.bytes().size())
    refuse(name, fmt::format("shares bytes of '{}' with others", location));
  return copy_of(dtype, parts.shape, {reinterpret_cast<const char*>(data), size});
}

}  // namespace nongemm::onnx
