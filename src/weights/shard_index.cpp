#include "weights/shard_index.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace nongemm::weights {
namespace {

// The index of the largest published models has less than 1 MB.
constexpr std::uint64_t kMaxIndexBytes = 16'000'000;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: {}", path.string(), what));
}

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

ShardIndex read_shard_index(const std::filesystem::path& path) {
  const std::string text = read_file(path, kMaxIndexBytes);
  const Json index = parse_json(text, path.string());
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    refuse(path, "key 'weight_map' with an object of tensor names and file names is missing");
  }
  ShardIndex result;
  std::set<std::string> files;
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (!file.is_string() || !is_plain_file_name(file.get_ref<const std::string&>())) {
      refuse(path, fmt::format("tensor '{}' must be given the name of a file in the same folder", name));
    }
    result.shard_of[name] = file;
    files.insert(file.get_ref<const std::string&>());
  }
  if (files.empty()) refuse(path, "names no tensors");
  result.files.assign(files.begin(), files.end());
  return result;
}

}  // namespace nongemm::weights
