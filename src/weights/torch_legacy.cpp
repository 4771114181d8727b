#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <variant>

#include "base/error.h"
#include "weights/pickle.h"
#include "weights/torch_archive.h"
#include "weights/torch_tensors.h"

namespace nongemm::weights {
namespace {

// A pickle of its own: the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::int64_t kProtocol = 1001;

class LegacyReader {
 public:
  explicit LegacyReader(const std::shared_ptr<const MappedFile>& file)
      : file_(file), file_name_(file->path().string()), at_(kMagic.size()) {}

  NamedTensors read() {
    const pickle::Document protocol = next_pickle();
    const auto* version = protocol.root->get<std::int64_t>();
    if (version == nullptr || *version != kProtocol) refuse("its protocol is not 1001");
    check_system(next_pickle());
    const pickle::Document state = next_pickle();
    find_storages(state, next_pickle());
    const LoadStorage load = [&](const StorageReference& storage) -> StorageBytes {
      const auto found = storages_.find(storage.key);
      if (found == storages_.end()) refuse(fmt::format("storage '{}' is missing", storage.key));
      return found->second;
    };
    return state_dict_tensors(state, load, file_name_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: {}", file_name_, what), "fetch or save the file again");
  }

  pickle::Document next_pickle() {
    // The weights come after the pickles: what can be a pickle is limited, so that the limit is not the file's size.
    constexpr std::size_t kMaxPickleBytes = std::size_t{32} << 20;
    const std::span<const std::byte> rest = file_->bytes().subspan(at_);
    std::size_t consumed = 0;
    pickle::Document document =
        pickle::parse(rest.first(std::min(rest.size(), kMaxPickleBytes)), is_torch_global, file_name_, &consumed);
    at_ += consumed;
    return document;
  }

  void check_system(const pickle::Document& system) const {
    const auto* dict = system.root->get<pickle::Dict>();
    if (dict == nullptr) refuse("its description of the system is malformed");
    for (const auto& [key, value] : dict->items) {
      const auto* name = key->get<std::string>();
      const auto* flag = value->get<bool>();
      if (name != nullptr && *name == "little_endian" && flag != nullptr && !*flag) {
        refuse("was written on a big-endian machine");
      }
    }
  }

  /// Storages follow in the order of the keys; how long the elements of each are, the state dict says.
  void find_storages(const pickle::Document& state, const pickle::Document& keys) {
    std::map<std::string, DType> types;
    for (const pickle::Value& value : state.values) {
      if (const auto* persistent = value.get<pickle::Persistent>()) {
        const StorageReference reference = storage_reference(*persistent, file_name_);
        types.emplace(reference.key, reference.dtype);
      }
    }
    const auto* list = keys.root->get<pickle::List>();
    if (list == nullptr) refuse("its list of storages is malformed");
    for (const pickle::Value* item : list->items) {
      const auto* key = item->get<std::string>();
      if (key == nullptr) refuse("its list of storages is malformed");
      const auto type = types.find(*key);
      if (type == types.end()) refuse(fmt::format("storage '{}' belongs to no tensor", *key));
      add_storage(*key, type->second);
    }
  }

  void add_storage(const std::string& key, DType dtype) {
    const std::span<const std::byte> rest = file_->bytes().subspan(at_);
    std::uint64_t elements = 0;
    if (rest.size() < sizeof(elements)) refuse("is truncated");
    std::memcpy(&elements, rest.data(), sizeof(elements));
    if (elements > (rest.size() - sizeof(elements)) / size_of(dtype)) {
      refuse(fmt::format("is truncated: storage '{}' has {} elements, the file ends before", key, elements));
    }
    const std::uint64_t size = elements * size_of(dtype);
    storages_[key] = {std::shared_ptr<const std::byte>(file_, rest.data() + sizeof(elements)), size};
    at_ += sizeof(elements) + size;
  }

  std::shared_ptr<const MappedFile> file_;
  std::string file_name_;
  std::size_t at_;
  std::map<std::string, StorageBytes> storages_;
};

}  // namespace

CheckpointFormat torch_legacy_format() {
  return {"torch legacy", [](std::string_view head, std::uint64_t) { return head.starts_with(kMagic); },
          [](const std::shared_ptr<const MappedFile>& file) { return LegacyReader(file).read(); }};
}

}  // namespace nongemm::weights
