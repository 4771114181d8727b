// Numerics: every reference case through the flows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "flows/load.h"
#include "models/registry.h"
#include "reference_cases.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 1e-4;

Flow& flow(const char* name) {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow(name);
}

class Numerics : public testing::TestWithParam<ReferenceCase> {};

TEST_P(Numerics, MatchTheOriginal) {
  const std::vector<OutputDifference> rows = verify_folder(GetParam().folder, flow("torch"), {}, {});
  ASSERT_FALSE(rows.empty());
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, allowed_difference(row, kTolerance)) << row.name << " " << to_string(row.shape);
  }
}

#ifdef NONGEMM_HAS_ORT
TEST_P(Numerics, OnnxRuntimeMatchesToo) {
  // Its convolutions and products add up in other orders.
  constexpr double kFusedTolerance = 1e-3;
  const std::vector<OutputDifference> rows = verify_folder(GetParam().folder, flow("ort"), {}, {});
  ASSERT_FALSE(rows.empty());
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, allowed_difference(row, kFusedTolerance))
        << row.name << " " << to_string(row.shape);
  }
}
#endif

TEST(NumericsReferences, AreThere) { EXPECT_GE(reference_cases().size(), 10U) << "in " NONGEMM_SHARED_DIR; }

INSTANTIATE_TEST_SUITE_P(Originals, Numerics, testing::ValuesIn(reference_cases()),
                         [](const auto& info) { return info.param.identifier(); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Numerics);

}  // namespace
}  // namespace nongemm
