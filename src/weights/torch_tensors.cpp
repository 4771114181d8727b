#include "weights/torch_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"

namespace nongemm::weights {
namespace {

using pickle::Call;
using pickle::Dict;
using pickle::Persistent;
using pickle::Tuple;
using pickle::Value;

/// "torch.FloatStorage"
std::optional<DType> dtype_of_storage(std::string_view name) {
  constexpr std::string_view kPrefix = "torch.";
  return name.starts_with(kPrefix) ? dtype_by(&DTypeInfo::storage, name.substr(kPrefix.size())) : std::nullopt;
}

/// "torch.float32", and the two that have a second name.
bool is_element_type(std::string_view name) {
  constexpr std::string_view kPrefix = "torch.";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  return name == "half" || name == "float" || dtype_by(&DTypeInfo::name, name).has_value();
}

constexpr std::array<std::string_view, 2> kRebuildTensor = {"torch._utils._rebuild_tensor_v2",
                                                            "torch._utils._rebuild_tensor"};
constexpr std::array<std::string_view, 2> kRebuildParameter = {"torch._utils._rebuild_parameter",
                                                               "torch._utils._rebuild_parameter_with_state"};
/// What may stand beside tensors in a training script's checkpoint. Nothing of it is used.
constexpr std::array<std::string_view, 7> kHarmless = {"collections.OrderedDict",
                                                       "collections.defaultdict",
                                                       "torch.Size",
                                                       "torch.device",
                                                       "builtins.set",
                                                       "__builtin__.set",
                                                       "builtins.dict"};
/// Under which names training scripts put the state dict, in the order in which they are tried.
constexpr std::array<const char*, 5> kWrappers = {"state_dict", "model_state_dict", "model", "module", "net"};
constexpr int kMaxWrapping = 3;
constexpr std::size_t kMaxRank = 64;  // a longer list is not even read

template <typename Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

[[noreturn]] void refuse(std::string_view file_name, const std::string& what) {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: {}", file_name, what), "fetch or save the file again");
}

bool is_tensor(const Value& value) {
  const auto* call = value.get<Call>();
  return call != nullptr && (contains(kRebuildTensor, call->name) || contains(kRebuildParameter, call->name));
}

/// One tensor as its arguments describe it.
struct Layout {
  StorageReference storage;
  StridedTensor tensor;
};

class TensorReader {
 public:
  TensorReader(const LoadStorage& load, std::string_view file_name)
      : load_(load), file_name_(file_name), dense_(file_name) {}

  HostTensor read(const std::string& name, const Value& value) {
    name_ = &name;
    const Layout layout = layout_of(rebuild_arguments(value));
    const StorageBytes& storage = storage_bytes(layout.storage);
    // Not by multiplication: the number of elements may be anything.
    if (layout.storage.elements > storage.size / size_of(layout.tensor.dtype)) {
      refuse_tensor(fmt::format("storage '{}' has {} bytes, {} elements of {} are wanted", layout.storage.key,
                                storage.size, layout.storage.elements, name_of(layout.tensor.dtype)));
    }
    return dense_.read(name, layout.tensor, {storage.data, layout.storage.elements * size_of(layout.tensor.dtype)});
  }

 private:
  [[noreturn]] void refuse_tensor(const std::string& what) const {
    refuse(file_name_, fmt::format("tensor '{}': {}", *name_, what));
  }

  /// Of the innermost rebuild call: a parameter is a call on the call that makes its tensor.
  const Tuple& rebuild_arguments(const Value& value) const {
    const Value* at = &value;
    for (int depth = 0; depth < 4; ++depth) {
      const auto* call = at->get<Call>();
      if (call == nullptr) break;
      const auto* arguments = call->arguments->get<Tuple>();
      if (arguments == nullptr || arguments->items.empty()) break;
      if (contains(kRebuildTensor, call->name)) return *arguments;
      at = arguments->items[0];
    }
    refuse_tensor("is made in a way that is not known");
  }

  std::vector<std::int64_t> integers(const Value& value, const char* what) const {
    const auto* tuple = value.get<Tuple>();
    if (tuple == nullptr) {
      // torch.Size((2, 3))
      const auto* call = value.get<Call>();
      const auto* arguments = call != nullptr ? call->arguments->get<Tuple>() : nullptr;
      if (arguments != nullptr && arguments->items.size() == 1) tuple = arguments->items[0]->get<Tuple>();
    }
    if (tuple == nullptr || tuple->items.size() > kMaxRank) refuse_tensor(fmt::format("its {} is malformed", what));
    std::vector<std::int64_t> numbers;
    for (const Value* item : tuple->items) {
      const auto* number = item->get<std::int64_t>();
      if (number == nullptr || *number < 0) refuse_tensor(fmt::format("its {} is malformed", what));
      numbers.push_back(*number);
    }
    return numbers;
  }

  /// (storage, offset, shape, strides, ...)
  Layout layout_of(const Tuple& arguments) const {
    if (arguments.items.size() < 4) refuse_tensor("its description is too short");
    const auto* storage = arguments.items[0]->get<Persistent>();
    const auto* offset = arguments.items[1]->get<std::int64_t>();
    if (storage == nullptr || offset == nullptr || *offset < 0) refuse_tensor("its storage is malformed");
    Layout layout;
    layout.storage = storage_reference(*storage, file_name_);
    layout.tensor.dtype = layout.storage.dtype;
    layout.tensor.offset = static_cast<std::uint64_t>(*offset);
    layout.tensor.shape = integers(*arguments.items[2], "shape");
    layout.tensor.strides = integers(*arguments.items[3], "strides");
    return layout;
  }

  const StorageBytes& storage_bytes(const StorageReference& reference) {
    const auto [found, is_new] = storages_.try_emplace(reference.key);
    if (is_new) {
      found->second = load_(reference);
      dense_.add_storage(found->second.size);
    }
    return found->second;
  }

  const LoadStorage& load_;
  std::string_view file_name_;
  const std::string* name_ = nullptr;
  std::map<std::string, StorageBytes> storages_;
  StridedReader dense_;
};

const Value* find_key(const Dict& dict, std::string_view key) {
  const Value* found = nullptr;
  for (const auto& [name, value] : dict.items) {
    const auto* text = name->get<std::string>();
    if (text != nullptr && *text == key) found = value;
  }
  return found;
}

bool has_tensors(const Dict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(), [](const auto& item) { return is_tensor(*item.second); });
}

/// nullptr for a dictionary without entries.
const Dict* find_state_dict(const pickle::Document& document, std::string_view file_name) {
  const auto* top = document.root->get<Dict>();
  const Dict* dict = top;
  for (int depth = 0; dict != nullptr && depth <= kMaxWrapping; ++depth) {
    if (has_tensors(*dict)) return dict;
    const Dict* inner = nullptr;
    for (const char* wrapper : kWrappers) {
      const Value* value = find_key(*dict, wrapper);
      if (inner == nullptr && value != nullptr) inner = value->get<Dict>();
    }
    dict = inner;
  }
  if (top == nullptr) refuse(file_name, "holds no dictionary of tensors");
  if (top->items.empty()) return nullptr;
  std::vector<std::string> keys;
  for (const auto& [name, value] : top->items) {
    const auto* text = name->get<std::string>();
    if (text != nullptr && keys.size() < 10) keys.push_back(text->substr(0, 40));
  }
  refuse(file_name, fmt::format("holds no dictionary of tensors, neither itself nor under {}; it holds: {}",
                                fmt::join(kWrappers, ", "), fmt::join(keys, ", ")));
}

}  // namespace

bool is_torch_global(std::string_view name) {
  return contains(kRebuildTensor, name) || contains(kRebuildParameter, name) || contains(kHarmless, name) ||
         is_element_type(name) || dtype_of_storage(name).has_value();
}

StorageReference storage_reference(const Persistent& persistent, std::string_view file_name) {
  const auto* tuple = persistent.id->get<Tuple>();
  if (tuple == nullptr || tuple->items.size() < 5) refuse(file_name, "a storage's description is malformed");
  const auto* kind = tuple->items[0]->get<std::string>();
  const auto* type = tuple->items[1]->get<pickle::Global>();
  const auto* key = tuple->items[2]->get<std::string>();
  const auto* elements = tuple->items[4]->get<std::int64_t>();
  const bool whole = kind != nullptr && type != nullptr && key != nullptr && elements != nullptr;
  if (!whole || *kind != "storage" || *elements < 0) refuse(file_name, "a storage's description is malformed");
  const bool is_view = tuple->items.size() > 5 && tuple->items[5]->get<pickle::None>() == nullptr;
  if (is_view)
    refuse(file_name, fmt::format("storage '{}' is a view of another one, as only PyTorch before 0.4 wrote", *key));
  if (const std::optional<DType> dtype = dtype_of_storage(type->name)) {
    return {*key, *dtype, static_cast<std::uint64_t>(*elements)};
  }
  refuse(file_name, fmt::format("storage '{}' is of type {}", *key, type->name));
}

NamedTensors state_dict_tensors(const pickle::Document& document, const LoadStorage& load, std::string_view file_name) {
  TensorReader reader(load, file_name);
  NamedTensors tensors;
  std::map<std::string_view, std::size_t> places;
  const Dict* dict = find_state_dict(document, file_name);
  if (dict == nullptr) return tensors;
  for (const auto& [key, value] : dict->items) {
    const auto* name = key->get<std::string>();
    if (name == nullptr || !is_tensor(*value)) continue;
    HostTensor tensor = reader.read(*name, *value);
    const auto [place, is_new] = places.emplace(*name, tensors.size());
    if (is_new) {
      tensors.emplace_back(*name, std::move(tensor));
    } else {
      tensors[place->second].second = std::move(tensor);  // as in Python, a later entry replaces an earlier one
    }
  }
  return tensors;
}

}  // namespace nongemm::weights
