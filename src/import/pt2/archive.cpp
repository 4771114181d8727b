#include "import/pt2/archive.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "pt2/format.h"
#include "pt2/types.h"
#include "weights/strided_tensor.h"
#include "weights/torch_archive.h"

namespace nongemm::pt2 {
namespace {

constexpr const char* kOldProgram = "serialized_exported_program.json";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what, std::string way_out = "") {
  throw Error(ErrorKind::kBadInput, path.string() + ": " + what, std::move(way_out));
}

/// "model/" of model/archive_format.
std::string find_root(const ZipArchive& archive) {
  const std::string mark = "/" + std::string(kFormatEntry);
  for (const ZipArchive::Entry& entry : archive.entries()) {
    const bool at_first_level = entry.name.find('/') == entry.name.size() - mark.size();
    if (entry.name.ends_with(mark) && at_first_level) return entry.name.substr(0, entry.name.size() - mark.size() + 1);
  }
  refuse(archive.path(), "is a zip archive, but no exported program (archive_format is missing)",
         "write it with torch.export.save of torch 2.5 or later");
}

/// The only model, or the one that torch.export.save calls "model".
std::string find_model_name(const ZipArchive& archive, const std::string& root) {
  const std::string folder = root + std::string(kModels);
  std::vector<std::string> names;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    if (!entry.name.starts_with(folder) || !entry.name.ends_with(".json")) continue;
    names.push_back(entry.name.substr(folder.size(), entry.name.size() - folder.size() - 5));
    if (names.back() == kModel) return names.back();
  }
  if (names.size() == 1) return names[0];
  if (!names.empty()) refuse(archive.path(), "holds several models, none of them called 'model'");
  refuse(archive.path(), "holds no exported program",
         "a file that AOTInductor compiled has no operators to look at: export it with torch.export.save");
}

Shape known_sizes(const Json& sizes) {
  Shape shape;
  for (const Json& size : sizes) shape.push_back(integer_at(size, "as_int"));
  return shape;
}

weights::StridedTensor tensor_of(const Json& meta) {
  weights::StridedTensor tensor;
  tensor.dtype = dtype_of(member(meta, "dtype"));
  tensor.shape = known_sizes(array_at(meta, "sizes"));
  tensor.strides = known_sizes(array_at(meta, "strides"));
  const std::int64_t offset = integer_at(member(meta, "storage_offset"), "as_int");
  if (offset < 0) throw Error(ErrorKind::kBadInput, "a storage offset is negative");
  tensor.offset = static_cast<std::uint64_t>(offset);
  return tensor;
}

struct Described {
  std::string path_name;
  weights::StridedTensor tensor;
};

/// Nothing for objects of classes, which are pickled; a program that uses one is refused where it does.
std::optional<Described> described_by(const Json& payload) {
  const Json* meta = find_member(payload, "tensor_meta");
  if (meta == nullptr || as_flag(member(payload, "use_pickle"))) return std::nullopt;
  return Described{text_at(payload, "path_name"), tensor_of(*meta)};
}

}  // namespace

Pt2Archive::Pt2Archive(std::shared_ptr<const MappedFile> file) : archive_(std::move(file)) {
  if (archive_.find(kOldProgram) != nullptr) {
    read_old_layout();
  } else {
    read_layout(find_root(archive_));
  }
}

const HostTensor* Pt2Archive::find(std::string_view name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

const ZipArchive::Entry& Pt2Archive::entry(const std::string& name) const {
  const ZipArchive::Entry* entry = archive_.find(name);
  if (entry == nullptr) refuse(path(), "entry '" + name + "' is missing", "export the model again");
  return *entry;
}

void Pt2Archive::read_old_layout() {
  program_ = archive_.read(entry(kOldProgram));
  for (const char* name : {"serialized_state_dict", "serialized_constants"}) {
    if (archive_.find(std::string(name) + ".json") != nullptr) {
      throw Error(ErrorKind::kUnsupported, path().string() + ": was written by a torch before 2.5",
                  "export the model again with a later one");
    }
    read_torch_save(entry(std::string(name) + ".pt"));
  }
}

void Pt2Archive::read_layout(const std::string& root) {
  const auto in_root = [&](std::string_view name) { return root + std::string(name); };
  if (archive_.read(entry(in_root(kFormatEntry))).text() != kFormat) refuse(path(), "its archive_format is not pt2");
  if (const ZipArchive::Entry* order = archive_.find(in_root(kByteOrderEntry));
      order != nullptr && archive_.read(*order).text() != kLittleEndian) {
    refuse(path(), "was written on a big-endian machine", "export the model on a little-endian one");
  }
  const std::string model = find_model_name(archive_, root);
  program_ = archive_.read(entry(in_root(kModels) + model + ".json"));
  read_tensors(in_root(kWeights), model, model + std::string(kWeightsConfig));
  read_tensors(in_root(kConstants), model, model + std::string(kConstantsConfig));
}

void Pt2Archive::read_tensors(const std::string& folder, const std::string& model, const std::string& config) {
  if (const ZipArchive::Entry* saved = archive_.find(folder + model + ".pt")) {
    read_torch_save(*saved);
  } else {
    read_raw(folder, entry(folder + config));
  }
}

void Pt2Archive::read_torch_save(const ZipArchive::Entry& entry) {
  if (entry.size == 0) return;
  const ZipArchive::Content content = archive_.read(entry);
  const auto file = MappedFile::of(content.data, content.size, path() / entry.name);
  for (auto& [name, tensor] : weights::torch_archive_format().read(file)) {
    tensors_.insert_or_assign(name, std::move(tensor));
  }
}

void Pt2Archive::read_raw(const std::string& folder, const ZipArchive::Entry& config) {
  const std::string file_name = path().string();
  const Json json = parse_json(archive_.read(config).text(), file_name + ": " + config.name);
  weights::StridedReader dense(file_name);
  std::map<std::string, weights::StorageBytes> storages;
  const std::string place = file_name + ": " + config.name;
  const Json& tensors = within(place, [&]() -> const Json& { return object_at(json, "config"); });
  for (const auto& [name, payload] : tensors.items()) {
    const auto described =
        within(place + ": '" + name + "'", [&, &payload = payload] { return described_by(payload); });
    if (!described) continue;
    const auto [storage, is_new] = storages.try_emplace(described->path_name);
    if (is_new) {
      const ZipArchive::Content content = archive_.read(entry(folder + storage->first));
      storage->second = {content.data, content.size};
      dense.add_storage(content.size);
    }
    tensors_.insert_or_assign(name, dense.read(name, described->tensor, storage->second));
  }
}

}  // namespace nongemm::pt2
