#include "reference_cases.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "test_paths.h"

namespace nongemm {

std::string ReferenceCase::identifier() const {
  std::string name = folder.filename().string();
  const auto is_other = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; };
  std::replace_if(name.begin(), name.end(), is_other, '_');
  return name;
}

std::filesystem::path ReferenceCase::stream() const {
  if (std::filesystem::exists(folder / "operators.json")) return folder / "operators.json";
  const std::filesystem::path families = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/opstreams/families";
  return folder.parent_path().filename() == "families" ? families / (folder.filename().string() + ".json") : "";
}

std::ostream& operator<<(std::ostream& out, const ReferenceCase& reference) {
  return out << reference.folder.filename().string();
}

std::vector<ReferenceCase> reference_cases() {
  std::vector<std::filesystem::path> roots = {std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/numerics",
                                              std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/families",
                                              std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/numerics"};
  if (const char* more = std::getenv("NONGEMM_REFERENCE_CASES")) roots.emplace_back(more);
  std::vector<ReferenceCase> cases;
  for (const std::filesystem::path& root : roots) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root, missing)) {
      if (std::filesystem::exists(entry.path() / "config.json")) cases.push_back({entry.path()});
    }
  }
  const auto name_of = [](const ReferenceCase& reference) { return reference.folder.filename(); };
  std::sort(cases.begin(), cases.end(), [&](const auto& a, const auto& b) { return name_of(a) < name_of(b); });
  return cases;
}

std::vector<ReferenceCase> cases_with_streams() {
  std::vector<ReferenceCase> cases = reference_cases();
  std::erase_if(cases, [](const auto& row) { return !std::filesystem::exists(row.stream()); });
  return cases;
}

}  // namespace nongemm
