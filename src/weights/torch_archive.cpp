#include "weights/torch_archive.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/host_memory.h"
#include "base/zip.h"
#include "weights/pickle.h"
#include "weights/torch_tensors.h"

namespace nongemm::weights {
namespace {

constexpr std::string_view kPickle = "/data.pkl";

[[noreturn]] void refuse(const ZipArchive& archive, const std::string& what, std::string way_out) {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: {}", archive.path().string(), what), std::move(way_out));
}

bool is_zip(std::string_view head, std::uint64_t) { return head.starts_with("PK\x03\x04"); }

/// "archive/" or whatever the file was called when it was saved.
std::string find_folder(const ZipArchive& archive) {
  std::optional<std::string> folder;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    const std::string& name = entry.name;
    if (!name.ends_with(kPickle) || name.find('/') != name.size() - kPickle.size()) continue;
    if (folder) refuse(archive, "holds two state dicts", "name one that torch.save wrote");
    folder = name.substr(0, name.size() - kPickle.size() + 1);
  }
  if (!folder) {
    refuse(archive, "is a zip archive, but none that torch.save wrote (data.pkl is missing)",
           "an exported program (.pt2) is named as the model, not as its weights");
  }
  if (archive.find(*folder + "constants.pkl") != nullptr) {
    refuse(archive, "is a TorchScript program, which holds code",
           "save its state dict: torch.save(torch.jit.load(path).state_dict(), new_path)");
  }
  return *folder;
}

void check_byte_order(const ZipArchive& archive, const std::string& folder) {
  const ZipArchive::Entry* entry = archive.find(folder + "byteorder");
  if (entry == nullptr || archive.read(*entry).text() == "little") return;  // PyTorch before 2.1 did not say
  refuse(archive, "was written on a big-endian machine", "save it again on a little-endian one, or as safetensors");
}

/// Stored entries are used in place; deflated ones are inflated, and stay so.
void check_memory(const ZipArchive& archive) {
  double inflated = 0;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    if (entry.deflated) inflated += static_cast<double>(entry.size);
  }
  require_memory(fmt::format("inflating {}", archive.path().string()), inflated, "save it again without compression");
}

NamedTensors read_archive(const std::shared_ptr<const MappedFile>& file) {
  const ZipArchive archive(file);
  const std::string folder = find_folder(archive);
  check_byte_order(archive, folder);
  check_memory(archive);
  const std::string file_name = file->path().string();
  const ZipArchive::Content text = archive.read(*archive.find(folder + "data.pkl"));
  const pickle::Document document = pickle::parse({text.data.get(), text.size}, is_torch_global, file_name);
  const LoadStorage load = [&](const StorageReference& storage) -> StorageBytes {
    const ZipArchive::Entry* entry = archive.find(folder + "data/" + storage.key);
    if (entry == nullptr)
      refuse(archive, fmt::format("storage '{}' is missing", storage.key), "fetch or save the file again");
    const ZipArchive::Content content = archive.read(*entry);
    return {content.data, content.size};
  };
  return state_dict_tensors(document, load, file_name);
}

}  // namespace

CheckpointFormat torch_archive_format() { return {"torch archive", is_zip, read_archive}; }

}  // namespace nongemm::weights
