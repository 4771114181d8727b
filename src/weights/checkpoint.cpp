#include "weights/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "weights/safetensors.h"
#include "weights/shard_index.h"
#include "weights/torch_archive.h"

namespace nongemm::weights {
namespace {

namespace fs = std::filesystem;

const std::array kFormats = {
    safetensors_format(),
    torch_archive_format(),
    torch_legacy_format(),
};

/// The names that transformers gives a model's weights, in the order in which it looks for them.
constexpr std::array<const char*, 4> kUsualNames = {"model.safetensors", "model.safetensors.index.json",
                                                    "pytorch_model.bin", "pytorch_model.bin.index.json"};
constexpr std::array<std::string_view, 4> kExtensions = {".safetensors", ".pth", ".pt", ".bin"};

std::string format_names() {
  std::vector<std::string_view> names;
  for (const CheckpointFormat& format : kFormats) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse_unknown_format(const fs::path& path, std::string_view head) {
  if (head.empty()) throw Error(ErrorKind::kBadInput, fmt::format("{}: is empty", path.string()), "fetch it again");
  if (head.starts_with("version ") && head.find("git-lfs") != std::string_view::npos) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: is a Git LFS pointer, not the checkpoint itself", path.string()),
                "run `git lfs pull` in its folder");
  }
  if (head.starts_with('<')) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: is a web page, not a checkpoint", path.string()),
                "download it again");
  }
  constexpr std::size_t kSafetensorsBytes = 9;  // the length and a brace
  if (path.extension() == ".safetensors" && head.size() < kSafetensorsBytes) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: is truncated: it has {} bytes", path.string(), head.size()),
                "fetch it again");
  }
  if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) {
    throw Error(
        ErrorKind::kBadInput,
        fmt::format("{}: is a bare Python pickle, which may run code; torch.save did not write it", path.string()),
        "save the tensors with torch.save(model.state_dict(), path), or as safetensors");
  }
  throw Error(ErrorKind::kBadInput,
              fmt::format("{}: is in none of the known checkpoint formats ({})", path.string(), format_names()));
}

std::pair<NamedTensors, std::string> read_one_file(const fs::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), CheckpointFormat::kHeadBytes));
  for (const CheckpointFormat& format : kFormats) {
    if (format.recognises(head, bytes.size())) return {format.read(file), std::string(format.name)};
  }
  refuse_unknown_format(path, head);
}

bool is_index(const fs::path& path) { return path.filename().string().ends_with(".index.json"); }

Checkpoint open_shards(const fs::path& path) {
  const ShardIndex index = read_shard_index(path);
  NamedTensors all;
  std::string format;
  for (const std::string& shard : index.files) {
    auto [tensors, shard_format] = read_one_file(path.parent_path() / shard);
    format = fmt::format("{}, {} files", shard_format, index.files.size());
    std::move(tensors.begin(), tensors.end(), std::back_inserter(all));
  }
  Checkpoint checkpoint(path, std::move(format), std::move(all));
  for (const auto& [name, shard] : index.shard_of) {
    if (checkpoint.find(name) == nullptr) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("{}: tensor '{}' should be in {}, which does not hold it", path.string(), name, shard),
                  "fetch the shards again: they belong to another version of the index");
    }
  }
  return checkpoint;
}

/// Names of the files in a folder that may hold weights; one alone when it has a usual name.
std::vector<std::string> candidates_in(const fs::path& folder) {
  for (const char* name : kUsualNames) {
    if (fs::exists(folder / name)) return {name};
  }
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    const std::string stem = entry.path().stem().string();
    if (stem == "inputs" || stem == "outputs") continue;  // of `nongemm verify`, beside the model
    if (std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end() || is_index(entry.path())) {
      found.push_back(entry.path().filename().string());
    }
  }
  if (error) throw Error(ErrorKind::kIo, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  return found;
}

/// The file inside a folder that holds the weights.
fs::path find_in_folder(const fs::path& folder) {
  std::vector<std::string> found = candidates_in(folder);
  if (found.size() == 1) return folder / found[0];
  if (found.empty()) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: holds no checkpoint", folder.string()),
                fmt::format("expected {} or one file ending in {}", fmt::join(kUsualNames, ", "),
                            fmt::join(kExtensions, ", ")));
  }
  std::sort(found.begin(), found.end());
  constexpr std::size_t kShown = 8;
  const std::string more = found.size() > kShown ? fmt::format(" and {} more", found.size() - kShown) : "";
  found.resize(std::min(found.size(), kShown));
  throw Error(ErrorKind::kBadInput,
              fmt::format("{}: holds several checkpoints: {}{}", folder.string(), fmt::join(found, ", "), more),
              "name the file instead of its folder");
}

}  // namespace

bool holds_checkpoint(const fs::path& folder) { return !candidates_in(folder).empty(); }

Checkpoint::Checkpoint(fs::path path, std::string format, NamedTensors tensors)
    : path_(std::move(path)), format_(std::move(format)) {
  names_.reserve(tensors.size());
  for (auto& [name, tensor] : tensors) {
    if (!tensors_.emplace(name, std::move(tensor)).second) {
      throw Error(ErrorKind::kBadInput, fmt::format("{}: tensor '{}' appears twice", path_.string(), name));
    }
    names_.push_back(std::move(name));
  }
}

const HostTensor* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Checkpoint open_checkpoint(const fs::path& path) {
  std::error_code ignored;
  const fs::path file = fs::is_directory(path, ignored) ? find_in_folder(path) : path;
  if (is_index(file)) return open_shards(file);
  auto [tensors, format] = read_one_file(file);
  return Checkpoint(file, std::move(format), std::move(tensors));
}

}  // namespace nongemm::weights
