// Numerics: every folder of reference data (a tiny model of the original library with random weights, its inputs and
// outputs) through the torch flow. A new folder needs no edit here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "flows/load.h"
#include "models/model.h"
#include "profile/verify.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 1e-4;

struct NumericsCase {
  std::string name;
  std::filesystem::path folder;
};

std::ostream& operator<<(std::ostream& out, const NumericsCase& test) { return out << test.name; }

std::vector<NumericsCase> find_cases() {
  std::vector<NumericsCase> cases;
  const std::filesystem::path roots[] = {std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/numerics",
                                         std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/numerics"};
  for (const std::filesystem::path& root : roots) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root, missing)) {
      if (std::filesystem::exists(entry.path() / "config.json")) {
        cases.push_back({entry.path().filename().string(), entry.path()});
      }
    }
  }
  std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return cases;
}

Flow& torch() {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow("torch");
}

bool is_built_in(const std::string& type) {
  const auto all = architectures();
  return std::any_of(all.begin(), all.end(), [&](const Architecture* a) { return a->model_type == type; });
}

class Numerics : public testing::TestWithParam<NumericsCase> {};

TEST_P(Numerics, MatchTheOriginal) {
  const std::filesystem::path& folder = GetParam().folder;
  const Config config = Config::read_file((folder / "config.json").string());
  const std::string type = config.text("model_type");
  if (!is_built_in(type)) FAIL() << "no architecture for model_type '" << type << "' is built in";
  const std::vector<OutputDifference> rows = verify_folder(folder, torch(), {}, {});
  ASSERT_FALSE(rows.empty());
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, allowed_difference(row.name, kTolerance))
        << row.name << " " << to_string(row.shape);
  }
}

TEST(NumericsReferences, AreThere) { EXPECT_GE(find_cases().size(), 10U) << "in " NONGEMM_SHARED_DIR; }

std::string test_name(const testing::TestParamInfo<NumericsCase>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Originals, Numerics, testing::ValuesIn(find_cases()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Numerics);

}  // namespace
}  // namespace nongemm
