// Imported models: every folder of tests/data/import (a tiny model as .pt2 or .onnx, inputs and its outputs) through
// the torch flow, and those with .onnx files, with the ones of tests/data/import_ort, as they are through ONNX Runtime.
// A new folder needs no edit here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "flows/load.h"
#include "graph/graph_json.h"
#include "ops/check_graph.h"
#include "prepare/model.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 1e-4;

const std::filesystem::path& data_folder() {
  static const std::filesystem::path folder = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data";
  return folder;
}

/// "import/gpt2", ... of folders that hold one of the files.
std::vector<std::string> find_cases(const std::vector<std::string>& folders, const std::vector<std::string>& files) {
  std::vector<std::string> cases;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(data_folder() / folder)) {
      for (const std::string& file : files) {
        if (std::filesystem::exists(entry.path() / file)) {
          cases.push_back(folder + "/" + entry.path().filename().string());
        }
      }
    }
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<std::string>& test) {
  return test.param.substr(test.param.find('/') + 1);
}

Flow& flow(const std::string& name) {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow(name);
}

Flow& torch() { return flow("torch"); }

void expect_same(const std::vector<OutputDifference>& rows) {
  EXPECT_FALSE(rows.empty());
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    EXPECT_LE(row.largest_absolute, allowed_difference(row, kTolerance)) << row.name;
  }
}

/// What is said of a case that cannot run.
std::string refusal(const std::filesystem::path& folder, const std::string& name) {
  try {
    verify_folder(folder, flow(name), RunOptions(), {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported) << error.what();
    return std::string(error.what()) + " " + error.way_out();
  }
  return "";
}

class Imported : public testing::TestWithParam<std::string> {};

TEST_P(Imported, GivesTheOutputsOfPython) {
  expect_same(verify_folder(data_folder() / GetParam(), torch(), RunOptions(), {}));
}

TEST_P(Imported, IsASoundGraph) {
  std::filesystem::path file = data_folder() / GetParam() / "model.pt2";
  if (!std::filesystem::exists(file)) file.replace_filename("model.onnx");
  const Graph graph = build_graph(find_model(file.string()), {});
  EXPECT_EQ(problems_of(graph), std::vector<std::string>());
  EXPECT_EQ(to_json(graph_from_json(to_json(graph), "graph")), to_json(graph));
}

TEST(ImportedOperator, WithoutCounterpartIsNamed) {
  const std::string what = refusal(data_folder() / "import_ort/unmapped", "torch");
  EXPECT_NE(what.find("onnx.LSTM.default"), std::string::npos) << what;
  EXPECT_NE(what.find("onnx.Loop.default"), std::string::npos) << what;
  EXPECT_NE(what.find("the ort flow"), std::string::npos) << what;
}

#ifdef NONGEMM_HAS_ORT

class InOnnxRuntime : public testing::TestWithParam<std::string> {};

TEST_P(InOnnxRuntime, GivesTheOutputsOfTheOriginal) {
  expect_same(verify_folder(data_folder() / GetParam(), flow("ort"), RunOptions(), {}));
}

TEST_P(InOnnxRuntime, EveryStepIsAccountedFor) {
  const Model model = find_model((data_folder() / GetParam() / "model.onnx").string());
  const Graph graph = build_graph(model, {});
  const auto session = flow("ort").prepare(graph, model.file->weights(graph), RunOptions());
  std::vector<HostTensor> inputs;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    const auto [tensor, bytes] = HostTensor::allocate(type.dtype, type.shape);
    // About 0.75 in fp32: a loop that the data ends has to end.
    std::fill_n(bytes, tensor.byte_size(), is_floating(type.dtype) ? std::byte{0x3f} : std::byte{0});
    inputs.push_back(tensor);
  }
  session->set_inputs(inputs);
  std::set<NodeId> found(session->program()->folded.begin(), session->program()->folded.end());
  for (const RuntimeNode& step : session->program()->nodes) {
    EXPECT_FALSE(step.role == RuntimeRole::kCompute && step.covers.empty()) << step.name << " " << step.type;
    found.insert(step.covers.begin(), step.covers.end());
  }
  EXPECT_EQ(found.size(), graph.nodes.size());
}

INSTANTIATE_TEST_SUITE_P(, InOnnxRuntime, testing::ValuesIn(find_cases({"import", "import_ort"}, {"model.onnx"})),
                         name_of_case);

#ifdef NONGEMM_EXAMPLE_ORT_OPERATORS

TEST(OnnxRuntimeOperatorLibrary, IsAskedForByItsOperators) {
  const std::string what = refusal(data_folder() / "custom_onnx_operator", "ort");
  EXPECT_NE(what.find("ScaledRmsNorm"), std::string::npos) << what;
  EXPECT_NE(what.find("--load-library"), std::string::npos) << what;
}

TEST(OnnxRuntimeOperatorLibrary, RunsItsOperators) {
  RunOptions run;
  run.libraries = {"/no/such/library.so"};
  EXPECT_THROW(verify_folder(data_folder() / "custom_onnx_operator", flow("ort"), run, {}), Error);
  run.libraries = {NONGEMM_EXAMPLE_ORT_OPERATORS};
  expect_same(verify_folder(data_folder() / "custom_onnx_operator", flow("ort"), run, {}));
}

#endif
#endif

#ifdef NONGEMM_EXAMPLE_OPERATORS

const std::filesystem::path& custom_case() {
  static const std::filesystem::path folder = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/custom_operator";
  return folder;
}

TEST(OperatorLibrary, IsAskedForByItsOperators) {
  const std::string what = refusal(custom_case(), "torch");
  EXPECT_NE(what.find("no operator example.scaled_rms_norm.default"), std::string::npos) << what;
  EXPECT_NE(what.find("--load-library"), std::string::npos) << what;
}

TEST(OperatorLibrary, RunsItsOperators) {
  RunOptions run;
  run.libraries = {"/no/such/library.so"};
  EXPECT_THROW(verify_folder(custom_case(), torch(), run, {}), Error);
  run.libraries = {NONGEMM_EXAMPLE_OPERATORS};
  expect_same(verify_folder(custom_case(), torch(), run, {}));
}

#endif

INSTANTIATE_TEST_SUITE_P(, Imported, testing::ValuesIn(find_cases({"import"}, {"model.pt2", "model.onnx"})),
                         name_of_case);

}  // namespace
}  // namespace nongemm
