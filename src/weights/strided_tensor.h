// Tensors that a file describes by strides over a storage: PyTorch's archives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/tensor.h"

namespace nongemm::weights {

struct StorageBytes {
  std::shared_ptr<const std::byte> data;
  std::uint64_t size = 0;
};

/// Unchecked, as a file says it. Strides and offset count elements.
struct StridedTensor {
  DType dtype = DType::kUndefined;
  Shape shape;
  Shape strides;
  std::uint64_t offset = 0;
};

/// Gives dense tensors. Contiguous ones share their storage's bytes; others are copied, as long as that does not blow
/// them up beyond the storages that were added (an expanded tensor can describe any amount).
class StridedReader {
 public:
  /// @param file_name for messages, outlives the reader
  explicit StridedReader(std::string_view file_name) : file_name_(file_name) {}

  void add_storage(std::uint64_t bytes) { dense_allowed_ += 2 * bytes; }

  /// @throws Error (kBadInput) for a tensor that does not lie inside `storage`
  HostTensor read(std::string_view name, const StridedTensor& tensor, const StorageBytes& storage);

 private:
  [[noreturn]] void refuse(std::string_view name, const std::string& what) const;
  void check(std::string_view name, const StridedTensor& tensor, const StorageBytes& storage) const;
  HostTensor make_dense(std::string_view name, const StridedTensor& tensor, const std::byte* source);

  std::string_view file_name_;
  std::uint64_t dense_allowed_ = std::uint64_t{16} << 20;
};

}  // namespace nongemm::weights
