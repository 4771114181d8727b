// A pickle of tensors: any bytes give tensors or an Error. Storages are made up, of exactly the size that is asked for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "weights/pickle.h"
#include "weights/torch_tensors.h"

namespace {

using nongemm::DType;
using nongemm::Error;
using nongemm::ErrorKind;
using nongemm::HostTensor;

nongemm::weights::StorageBytes make_storage(const nongemm::weights::StorageReference& reference) {
  constexpr std::uint64_t kMaxElements = 1 << 16;
  if (reference.elements > kMaxElements) throw Error(ErrorKind::kBadInput, "no such storage");
  const std::uint64_t size = reference.elements * nongemm::size_of(reference.dtype);
  const HostTensor memory = HostTensor::allocate(DType::kUInt8, {static_cast<std::int64_t>(size)}).first;
  return {memory.data, size};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm::weights;
  try {
    const pickle::Document document = pickle::parse(std::as_bytes(std::span(data, size)), is_torch_global, "fuzz");
    state_dict_tensors(document, make_storage, "fuzz");
  } catch (const Error&) {
  }
  return 0;
}
