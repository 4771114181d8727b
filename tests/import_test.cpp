// Imported models: every folder of tests/data/import (a tiny model exported by PyTorch as .pt2 or
// .onnx, inputs and its outputs) through
// the torch flow. A new folder needs no edit here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "flows/load.h"
#include "graph/graph_json.h"
#include "models/model.h"
#include "ops/verify.h"
#include "profile/verify.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 1e-4;

const std::filesystem::path& cases_folder() {
  static const std::filesystem::path folder = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/import";
  return folder;
}

std::vector<std::string> find_cases() {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator(cases_folder())) {
    for (const char* file : {"model.pt2", "model.onnx"}) {
      if (std::filesystem::exists(entry.path() / file)) cases.push_back(entry.path().filename().string());
    }
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

Flow& torch() {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow("torch");
}

class Imported : public testing::TestWithParam<std::string> {};

TEST_P(Imported, GivesTheOutputsOfPython) {
  const std::vector<OutputDifference> rows = verify_folder(cases_folder() / GetParam(), torch(), RunOptions(), {});
  EXPECT_FALSE(rows.empty());
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, kTolerance) << row.name;
  }
}

TEST_P(Imported, IsASoundGraph) {
  std::filesystem::path file = cases_folder() / GetParam() / "model.pt2";
  if (!std::filesystem::exists(file)) file.replace_filename("model.onnx");
  const Graph graph = build_graph(find_model(file.string()), {});
  EXPECT_EQ(problems_of(graph), std::vector<std::string>());
  EXPECT_EQ(to_json(graph_from_json(to_json(graph), "graph")), to_json(graph));
}

#ifdef NONGEMM_EXAMPLE_OPERATORS

const std::filesystem::path& custom_case() {
  static const std::filesystem::path folder = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/custom_operator";
  return folder;
}

TEST(OperatorLibrary, IsAskedForByItsOperators) {
  try {
    verify_folder(custom_case(), torch(), RunOptions(), {});
    FAIL() << "ran without the library";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no operator example.scaled_rms_norm.default"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("--load-library"), std::string::npos);
  }
}

TEST(OperatorLibrary, RunsItsOperators) {
  RunOptions run;
  run.libraries = {"/no/such/library.so"};
  EXPECT_THROW(verify_folder(custom_case(), torch(), run, {}), Error);
  run.libraries = {NONGEMM_EXAMPLE_OPERATORS};
  for (const OutputDifference& row : verify_folder(custom_case(), torch(), run, {})) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, kTolerance) << row.name;
  }
}

#endif

INSTANTIATE_TEST_SUITE_P(, Imported, testing::ValuesIn(find_cases()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace nongemm
