#include "pt2/package.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/zip.h"
#include "pt2/format.h"
#include "pt2/package_wrapper.h"

namespace nongemm::pt2 {
namespace {

/// NAME/data/aotinductor/MODEL/...: the path's parts behind the root and this folder.
std::optional<std::string_view> in_compiled(std::string_view entry) {
  const std::size_t root = entry.find('/');
  if (root == std::string_view::npos) return std::nullopt;
  entry.remove_prefix(root + 1);
  if (!entry.starts_with(kCompiled)) return std::nullopt;
  return entry.substr(kCompiled.size());
}

std::vector<std::string> texts(const Json& kernel, const char* key) {
  std::vector<std::string> list;
  if (const Json* found = find_member(kernel, key)) {
    for (const Json& one : *found) list.push_back(as_text(one));
  }
  return list;
}

/// "triton_poi_fused_add_0:7" is the seventh launch.
std::pair<std::string, int> split_handle(const std::string& key) {
  const std::size_t colon = key.rfind(':');
  int number = 0;
  const char* end = key.data() + key.size();
  if (colon == std::string::npos || std::from_chars(key.data() + colon + 1, end, number).ptr != end) return {key, 0};
  return {key.substr(0, colon), number};
}

std::vector<CompiledKernel> kernels_of(const Json& information) {
  std::vector<std::pair<int, CompiledKernel>> numbered;
  for (const auto& [key, kernel] : information.items()) {
    auto [name, number] = split_handle(key);
    CompiledKernel compiled{std::move(name), texts(kernel, "pre_grad_nodes"), texts(kernel, "post_grad_nodes")};
    if (const Json* sources = find_member(kernel, "sources")) {
      for (const std::string& node : compiled.compiled_nodes) compiled.sources.push_back(texts(*sources, node.c_str()));
    }
    numbered.emplace_back(number, std::move(compiled));
  }
  std::stable_sort(numbered.begin(), numbered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<CompiledKernel> kernels;
  for (auto& [number, kernel] : numbered) kernels.push_back(std::move(kernel));
  return kernels;
}

}  // namespace

bool is_package(const std::filesystem::path& path) {
  const ZipArchive archive(MappedFile::open(path));
  return std::any_of(archive.entries().begin(), archive.entries().end(),
                     [](const ZipArchive::Entry& entry) { return in_compiled(entry.name).has_value(); });
}

CompiledPackage read_package(const std::filesystem::path& path) { return read_package(MappedFile::open(path)); }

CompiledPackage read_package(std::shared_ptr<const MappedFile> file) {
  const ZipArchive archive(std::move(file));
  const std::filesystem::path& path = archive.path();
  CompiledPackage package;
  std::set<std::string, std::less<>> models;
  bool has_code = false;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    const auto place = in_compiled(entry.name);
    if (!place) continue;
    models.insert(std::string(place->substr(0, place->find('/'))));
    has_code = has_code || place->ends_with(".so");
    const auto json = [&] { return parse_json(archive.read(entry).text(), path.string() + ": " + entry.name); };
    if (place->ends_with("wrapper.cpp")) {
      within(path.string() + ": " + entry.name, [&] { read_wrapper(archive.read(entry).text(), package); });
    } else if (place->ends_with("/kernel_information.json")) {
      package.kernels = within(path.string() + ": " + entry.name, [&] { return kernels_of(json()); });
    } else if (place->ends_with("wrapper_metadata.json") ||
               (package.device.empty() && place->ends_with("_metadata.json"))) {
      const Json metadata = json();
      package.device = text_or_empty(metadata, "AOTI_DEVICE_KEY");
      package.machine = text_or_empty(metadata, "AOTI_MACHINE");
      package.host_instructions = text_or_empty(metadata, "AOTI_CPU_ISA");
      package.compute_capability = text_or_empty(metadata, "AOTI_COMPUTE_CAPABILITY");
    }
  }
  const auto refuse = [&](const std::string& what, const std::string& way_out) {
    throw Error(ErrorKind::kBadInput, path.string() + ": " + what, way_out);
  };
  if (models.empty()) refuse("holds no model that AOTInductor compiled", "compile it with aoti_compile_and_package");
  if (models.size() > 1) refuse("holds several compiled models", "package each by itself");
  if (!has_code) refuse("holds no library to run", "compile it again; sources alone (package_cpp_only) do not run");
  package.model = *models.begin();
  return package;
}

std::vector<std::string> source_nodes_of(const CompiledPackage& package) {
  std::vector<std::string> names;
  std::set<std::string, std::less<>> seen;
  for (const CompiledKernel& kernel : package.kernels) {
    for (const std::string& name : kernel.source_nodes) {
      if (seen.insert(name).second) names.push_back(name);
    }
  }
  return names;
}

}  // namespace nongemm::pt2
