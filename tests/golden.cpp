#include "golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "test_paths.h"

namespace nongemm {
namespace {

std::size_t first_difference(std::string_view a, std::string_view b) {
  std::size_t at = 0;
  while (at < std::min(a.size(), b.size()) && a[at] == b[at]) ++at;
  return at;
}

/// The line in which the byte stands, and some of what stands before and behind it.
std::string around(std::string_view text, std::size_t at) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kShown = 160;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return "line " + std::to_string(line) + ": ..." + std::string(text.substr(at - std::min(at, kBefore), kShown));
}

}  // namespace

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/golden" / name;
  const char* mode = std::getenv("NONGEMM_GOLDEN");
  if (mode != nullptr && std::string_view(mode) == "write") {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " is missing: make generated writes it";
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  if (text == expected) return;
  const std::size_t at = first_difference(text, expected);
  ADD_FAILURE() << path << " differs\n  file: " << around(expected, at) << "\n  now:  " << around(text, at)
                << "\nIf that is meant, make generated writes it anew (tests/golden.h)";
}

}  // namespace nongemm
