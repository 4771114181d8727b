// The tensors in a pickle that torch.save wrote: what both of its file formats share.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/tensor.h"
#include "weights/pickle.h"
#include "weights/strided_tensor.h"

namespace nongemm::weights {

/// The globals that a state dict needs: tensors, storages, element types, containers.
bool is_torch_global(std::string_view name);

/// A storage as the pickle names it.
struct StorageReference {
  std::string key;
  DType dtype = DType::kUndefined;
  std::uint64_t elements = 0;
};

/// Gives the bytes of a storage. @throws Error when there is no such storage
using LoadStorage = std::function<StorageBytes(const StorageReference&)>;

/// What a persistent id says: ('storage', type, key, location, elements[, view]). @throws Error (kBadInput)
StorageReference storage_reference(const pickle::Persistent& persistent, std::string_view file_name);

/// The state dict in `document`: the dictionary of tensors at its root, or one level or two below "model",
/// "state_dict", ... Other entries than tensors are left out. Contiguous tensors share their storage's bytes, others
/// are made dense, as long as that does not blow them up beyond their storages.
NamedTensors state_dict_tensors(const pickle::Document& document, const LoadStorage& load, std::string_view file_name);

}  // namespace nongemm::weights
