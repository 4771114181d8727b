#include "base/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace nongemm {

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) {
    if (dim == kDynamic) return kDynamic;
    count *= dim;
  }
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == kDynamic ? "?" : std::to_string(shape[i]);
  }
  return text + "]";
}

std::size_t HostTensor::byte_size() const {
  return byte_size_of(dtype, static_cast<std::size_t>(element_count(shape)));
}

std::pair<HostTensor, std::byte*> HostTensor::allocate(DType dtype, Shape shape) {
  HostTensor tensor{dtype, std::move(shape), nullptr};
  // 64 bytes: a cache line, and what vector loads of every host we run on want.
  constexpr std::size_t kAlignment = 64;
  // Filling fresh memory costs more in page faults than in writing it; 2 MiB pages need 512 times fewer.
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t size = std::max(tensor.byte_size(), kAlignment);
  const bool huge = size >= 2 * kHugePage;
  void* bytes = nullptr;
  if (::posix_memalign(&bytes, huge ? kHugePage : kAlignment, size) != 0) {
    throw Error(ErrorKind::kOutOfMemory, "no memory for a tensor of " + std::to_string(size) + " bytes");
  }
  if (huge) ::madvise(bytes, size / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: refusal changes nothing
  tensor.data = std::shared_ptr<const std::byte>(static_cast<const std::byte*>(bytes),
                                                 [](const std::byte* p) { std::free(const_cast<std::byte*>(p)); });
  return {tensor, static_cast<std::byte*>(bytes)};
}

void check_value_count(std::size_t bytes_expected, std::size_t bytes_given, const Shape& shape) {
  if (bytes_expected != bytes_given) {
    throw Error(ErrorKind::kBadInput, "a tensor of shape " + to_string(shape) + " needs " +
                                          std::to_string(bytes_expected) + " bytes, got " +
                                          std::to_string(bytes_given));
  }
}

const HostTensor* find_tensor(const NamedTensors& tensors, std::string_view name) {
  for (const auto& [candidate, tensor] : tensors) {
    if (candidate == name) return &tensor;
  }
  return nullptr;
}

}  // namespace nongemm
