#include "weights/strided_tensor.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <vector>

#include "base/error.h"
#include "weights/checked_size.h"

namespace nongemm::weights {
namespace {

constexpr std::size_t kMaxRank = 64;

bool is_dense(const StridedTensor& tensor) {
  if (element_count(tensor.shape) == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

/// One past the last element that the tensor touches; nothing when that number does not exist.
std::optional<std::uint64_t> end_of(const StridedTensor& tensor) {
  if (element_count(tensor.shape) == 0) return tensor.offset;
  std::uint64_t end = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::uint64_t step = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[i] - 1),
                               static_cast<std::uint64_t>(tensor.strides[i]), &step) ||
        __builtin_add_overflow(end, step, &end)) {
      return std::nullopt;
    }
  }
  if (__builtin_add_overflow(end, std::uint64_t{1}, &end)) return std::nullopt;
  return end;
}

/// Row by row; `target` has room for all elements.
void copy_rows(const StridedTensor& tensor, const std::byte* source, std::byte* target) {
  const std::size_t element = size_of(tensor.dtype);
  const std::size_t rank = tensor.shape.size();
  std::vector<std::int64_t> index(rank, 0);
  const std::int64_t rows = rank == 0 ? 1 : element_count({tensor.shape.begin(), tensor.shape.end() - 1});
  const std::int64_t columns = rank == 0 ? 1 : tensor.shape.back();
  const std::size_t step = rank == 0 ? 0 : static_cast<std::size_t>(tensor.strides.back()) * element;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < rank; ++i) at += static_cast<std::size_t>(index[i] * tensor.strides[i]) * element;
    for (std::int64_t column = 0; column < columns; ++column) {
      std::memcpy(target, source + at, element);
      target += element;
      at += step;
    }
    for (std::size_t i = rank; i-- > 0;) {
      if (i + 1 >= rank) continue;
      if (++index[i] < tensor.shape[i]) break;
      index[i] = 0;
    }
  }
}

}  // namespace

void StridedReader::refuse(std::string_view name, const std::string& what) const {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: tensor '{}': {}", file_name_, name, what),
              "fetch or save the file again");
}

void StridedReader::check(std::string_view name, const StridedTensor& tensor, const StorageBytes& storage) const {
  if (tensor.shape.size() != tensor.strides.size()) refuse(name, "it has not as many strides as dimensions");
  if (tensor.shape.size() > kMaxRank) refuse(name, "it has too many dimensions");
  if (size_of(tensor.dtype) == 0) refuse(name, "its element type is not known");
  for (const std::int64_t stride : tensor.strides) {
    if (stride < 0) refuse(name, "its strides are malformed");
  }
  if (!checked_byte_size(tensor.dtype, tensor.shape)) {
    refuse(name, fmt::format("shape {} is absurdly large", to_string(tensor.shape)));
  }
  const std::optional<std::uint64_t> end = end_of(tensor);
  if (!end) refuse(name, "its strides are absurdly large");
  const std::uint64_t elements = storage.size / size_of(tensor.dtype);
  if (*end > elements) refuse(name, fmt::format("reaches to element {} of a storage that has {}", *end, elements));
}

HostTensor StridedReader::read(std::string_view name, const StridedTensor& tensor, const StorageBytes& storage) {
  check(name, tensor, storage);
  const std::size_t element = size_of(tensor.dtype);
  const std::byte* source = storage.data.get() + tensor.offset * element;
  const bool aligned = reinterpret_cast<std::uintptr_t>(source) % element == 0;
  if (aligned && is_dense(tensor)) {
    return {tensor.dtype, tensor.shape, std::shared_ptr<const std::byte>(storage.data, source)};
  }
  return make_dense(name, tensor, source);
}

HostTensor StridedReader::make_dense(std::string_view name, const StridedTensor& tensor, const std::byte* source) {
  const std::uint64_t bytes = *checked_byte_size(tensor.dtype, tensor.shape);
  if (bytes > dense_allowed_) {
    refuse(name, fmt::format("shape {} repeats its storage too often", to_string(tensor.shape)));
  }
  dense_allowed_ -= bytes;
  auto [dense, target] = HostTensor::allocate(tensor.dtype, tensor.shape);
  if (bytes == 0) return dense;
  if (is_dense(tensor)) {  // but misaligned
    std::memcpy(target, source, bytes);
  } else {
    copy_rows(tensor, source, target);
  }
  return dense;
}

}  // namespace nongemm::weights
