#include "weights/torch_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "weights/checked_size.h"

namespace nongemm::weights {
namespace {

using pickle::Call;
using pickle::Dict;
using pickle::Persistent;
using pickle::Tuple;
using pickle::Value;

struct StorageType {
  std::string_view name;
  DType dtype;
};

constexpr std::array<StorageType, 10> kStorageTypes = {{{"torch.BoolStorage", DType::kBool},
                                                        {"torch.ByteStorage", DType::kUInt8},
                                                        {"torch.CharStorage", DType::kInt8},
                                                        {"torch.ShortStorage", DType::kInt16},
                                                        {"torch.IntStorage", DType::kInt32},
                                                        {"torch.LongStorage", DType::kInt64},
                                                        {"torch.HalfStorage", DType::kFloat16},
                                                        {"torch.BFloat16Storage", DType::kBFloat16},
                                                        {"torch.FloatStorage", DType::kFloat32},
                                                        {"torch.DoubleStorage", DType::kFloat64}}};

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
constexpr std::array<std::string_view, 12> kElementTypes = {
    "torch.bool",    "torch.uint8", "torch.int8",     "torch.int16",   "torch.int32",   "torch.int64",
    "torch.float16", "torch.half",  "torch.bfloat16", "torch.float32", "torch.float64", "torch.float"};

/// Under which names training scripts put the state dict, in the order in which they are tried.
constexpr std::array<const char*, 5> kWrappers = {"state_dict", "model_state_dict", "model", "module", "net"};
constexpr int kMaxWrapping = 3;
constexpr std::size_t kMaxRank = 64;

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

/// One tensor as its arguments describe it, checked.
struct Layout {
  StorageReference storage;
  Shape shape;
  Shape strides;
  std::uint64_t offset = 0;  // elements
};

class TensorReader {
 public:
  TensorReader(const LoadStorage& load, std::string_view file_name) : load_(load), file_name_(file_name) {}

  HostTensor read(const std::string& name, const Value& value) {
    name_ = &name;
    const Layout layout = layout_of(rebuild_arguments(value));
    const StorageBytes& storage = storage_bytes(layout.storage);
    const std::size_t element = size_of(layout.storage.dtype);
    const std::byte* source = storage.data.get() + layout.offset * element;
    const bool aligned = reinterpret_cast<std::uintptr_t>(source) % element == 0;
    if (aligned && is_dense(layout)) {
      return {layout.storage.dtype, layout.shape, std::shared_ptr<const std::byte>(storage.data, source)};
    }
    return make_dense(layout, source);
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
    layout.offset = static_cast<std::uint64_t>(*offset);
    layout.shape = integers(*arguments.items[2], "shape");
    layout.strides = integers(*arguments.items[3], "strides");
    if (layout.shape.size() != layout.strides.size()) refuse_tensor("it has not as many strides as dimensions");
    if (!checked_byte_size(layout.storage.dtype, layout.shape)) {
      refuse_tensor(fmt::format("shape {} is absurdly large", to_string(layout.shape)));
    }
    check_extent(layout);
    return layout;
  }

  void check_extent(const Layout& layout) const {
    std::uint64_t end = layout.offset;
    const bool empty = element_count(layout.shape) == 0;
    if (!empty) {
      std::uint64_t last = layout.offset;
      for (std::size_t i = 0; i < layout.shape.size(); ++i) {
        std::uint64_t step = 0;
        if (__builtin_mul_overflow(static_cast<std::uint64_t>(layout.shape[i] - 1),
                                   static_cast<std::uint64_t>(layout.strides[i]), &step) ||
            __builtin_add_overflow(last, step, &last)) {
          refuse_tensor("its strides are absurdly large");
        }
      }
      if (__builtin_add_overflow(last, std::uint64_t{1}, &end)) refuse_tensor("its strides are absurdly large");
    }
    if (end > layout.storage.elements) {
      refuse_tensor(fmt::format("reaches to element {} of storage '{}', which has {}", end, layout.storage.key,
                                layout.storage.elements));
    }
  }

  static bool is_dense(const Layout& layout) {
    if (element_count(layout.shape) == 0) return true;
    std::int64_t expected = 1;
    for (std::size_t i = layout.shape.size(); i-- > 0;) {
      if (layout.shape[i] != 1 && layout.strides[i] != expected) return false;
      expected *= layout.shape[i];
    }
    return true;
  }

  const StorageBytes& storage_bytes(const StorageReference& reference) {
    const auto [found, is_new] = storages_.try_emplace(reference.key);
    StorageBytes& storage = found->second;
    if (is_new) {
      storage = load_(reference);
      dense_allowed_ += 2 * storage.size;
    }
    // Not by multiplication: the number of elements may be anything.
    if (reference.elements > storage.size / size_of(reference.dtype)) {
      refuse_tensor(fmt::format("storage '{}' has {} bytes, {} elements of {} are wanted", reference.key, storage.size,
                                reference.elements, name_of(reference.dtype)));
    }
    return storage;
  }

  HostTensor make_dense(const Layout& layout, const std::byte* source) {
    const std::uint64_t bytes = *checked_byte_size(layout.storage.dtype, layout.shape);
    if (bytes > dense_allowed_) {
      refuse_tensor(fmt::format("shape {} repeats its storage too often", to_string(layout.shape)));
    }
    dense_allowed_ -= bytes;
    auto [tensor, target] = HostTensor::allocate(layout.storage.dtype, layout.shape);
    if (bytes == 0) return tensor;
    if (is_dense(layout)) {  // but misaligned
      std::memcpy(target, source, bytes);
      return tensor;
    }
    const std::size_t element = size_of(layout.storage.dtype);
    const std::size_t rank = layout.shape.size();
    std::vector<std::int64_t> index(rank, 0);
    const std::int64_t rows = rank == 0 ? 1 : element_count({layout.shape.begin(), layout.shape.end() - 1});
    const std::int64_t columns = rank == 0 ? 1 : layout.shape.back();
    const std::size_t step = rank == 0 ? 0 : static_cast<std::size_t>(layout.strides.back()) * element;
    for (std::int64_t row = 0; row < rows; ++row) {
      std::size_t at = 0;
      for (std::size_t i = 0; i + 1 < rank; ++i) at += static_cast<std::size_t>(index[i] * layout.strides[i]) * element;
      for (std::int64_t column = 0; column < columns; ++column) {
        std::memcpy(target, source + at, element);
        target += element;
        at += step;
      }
      for (std::size_t i = rank; i-- > 0;) {
        if (i + 1 >= rank) continue;
        if (++index[i] < layout.shape[i]) break;
        index[i] = 0;
      }
    }
    return tensor;
  }

  const LoadStorage& load_;
  std::string_view file_name_;
  const std::string* name_ = nullptr;
  std::map<std::string, StorageBytes> storages_;
  /// Bytes that may still be written for tensors that are not contiguous: an expanded one can describe any amount.
  std::uint64_t dense_allowed_ = std::uint64_t{16} << 20;
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

const Dict& find_state_dict(const pickle::Document& document, std::string_view file_name) {
  const auto* top = document.root->get<Dict>();
  const Dict* dict = top;
  for (int depth = 0; dict != nullptr && depth <= kMaxWrapping; ++depth) {
    if (has_tensors(*dict)) return *dict;
    const Dict* inner = nullptr;
    for (const char* wrapper : kWrappers) {
      const Value* value = find_key(*dict, wrapper);
      if (inner == nullptr && value != nullptr) inner = value->get<Dict>();
    }
    dict = inner;
  }
  if (top == nullptr) refuse(file_name, "holds no dictionary of tensors");
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
  const auto is_name = [&](const StorageType& type) { return type.name == name; };
  return contains(kRebuildTensor, name) || contains(kRebuildParameter, name) || contains(kHarmless, name) ||
         contains(kElementTypes, name) || std::any_of(kStorageTypes.begin(), kStorageTypes.end(), is_name);
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
  for (const StorageType& known : kStorageTypes) {
    if (known.name == type->name) return {*key, known.dtype, static_cast<std::uint64_t>(*elements)};
  }
  refuse(file_name, fmt::format("storage '{}' is of type {}", *key, type->name));
}

NamedTensors state_dict_tensors(const pickle::Document& document, const LoadStorage& load, std::string_view file_name) {
  TensorReader reader(load, file_name);
  NamedTensors tensors;
  std::map<std::string_view, std::size_t> places;
  for (const auto& [key, value] : find_state_dict(document, file_name).items) {
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
