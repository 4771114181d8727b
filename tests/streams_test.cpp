// Operator streams: what the graphs hold is what PyTorch eager dispatched for the originals.
// To check another stream: add a row, or an operators.json to a reference case.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "prepare/model.h"
#include "reference_cases.h"
#include "stream_reference.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

struct StreamCase {
  std::string file;   // in fixtures/opstreams or tests/data/opstreams, without .json
  std::string model;  // registry name, or a folder of tests/data/models
  ModelOptions options;
};

std::ostream& operator<<(std::ostream& out, const StreamCase& test) { return out << test.file; }

const std::vector<StreamCase> kCases = {
    {"bert-b1-s128-eager", "bert", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"detr-b1", "detr", {.dtype = DType::kFloat16}},
    {"gpt2-b1-s256-eager", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"gpt2-b1-s256-sdpa", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"fasterrcnn-b1-cuda_nms", "fasterrcnn", {.device = DeviceKind::kCuda}},
    {"llama2_7b-b1-s128-eager-fp16",
     "llama2-7b-2_layers",
     {.sequence = 128, .dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"llama2_7b-b1-s128-sdpa", "llama2-7b-2_layers", {.sequence = 128}},
    {"llama2_7b-b2-s32-sdpa", "llama2-7b-2_layers", {.batch = 2, .sequence = 32}},
    {"llama3_8b-b1-s512-sdpa", "llama3-8b", {.sequence = 512, .dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"maskformer-b1", "maskformer", {.padding = Padding::kNone}},
    {"maskformer-b2-h192-w192", "maskformer", {.batch = 2, .height = 192, .width = 192, .padding = Padding::kNone}},
    {"segformer_b0-b1", "segformer", {}},
    {"segformer_b0-b1-eager", "segformer", {.attention = Attention::kEager}},
    {"segformer_b0-b2", "segformer", {.batch = 2}},
    {"swin_t-b1-h256-w320", "swin-t", {.height = 256, .width = 320}},
    {"maskrcnn-b1", "maskrcnn", {.device = DeviceKind::kCuda}},
    {"swin_t-b1", "swin-t", {.dtype = DType::kFloat16}},
    {"vit_b-b1", "vit-b", {.dtype = DType::kFloat16}},
};

std::filesystem::path find_stream(const std::string& name) {
  const std::filesystem::path shared = std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/opstreams";
  const std::filesystem::path own = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/opstreams";
  return std::filesystem::exists(own / (name + ".json")) ? own / (name + ".json") : shared / (name + ".json");
}

void expect_match(const std::string& name, const Graph& graph, const std::filesystem::path& reference) {
  EXPECT_EQ(unexplained(name, stream_differences(operator_stream(graph, IdleCasts::kListed), reference)), "");
}

std::string identifier(std::string name) {
  const auto is_other = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; };
  std::replace_if(name.begin(), name.end(), is_other, '_');
  return name;
}

class NamedModels : public testing::TestWithParam<StreamCase> {};

TEST_P(NamedModels, DispatchTheOriginalsOperators) {
  const StreamCase& test = GetParam();
  const std::filesystem::path folder = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/models" / test.model;
  const Model model = find_model(std::filesystem::exists(folder) ? folder.string() : test.model);
  expect_match(test.file, build_graph(model, test.options), find_stream(test.file));
}

INSTANTIATE_TEST_SUITE_P(Streams, NamedModels, testing::ValuesIn(kCases),
                         [](const auto& info) { return identifier(info.param.file); });

/// What these dispatch depends on the values: executed_streams_test compares what they ran.
bool depends_on_data(const Graph& graph) { return graph.blocks.size() > 1; }

class Cases : public testing::TestWithParam<ReferenceCase> {};

TEST_P(Cases, DispatchTheOriginalsOperators) {
  const std::filesystem::path& folder = GetParam().folder;
  const Model model = find_model(folder.string());
  ModelOptions options;
  if (model.config.text("_attn_implementation", "") == "eager") options.attention = Attention::kEager;
  const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
  const Graph graph = build_graph(model, options_for(inputs, options));
  if (!depends_on_data(graph)) expect_match(folder.filename(), graph, GetParam().stream());
}

INSTANTIATE_TEST_SUITE_P(Streams, Cases, testing::ValuesIn(cases_with_streams()),
                         [](const auto& info) { return info.param.identifier(); });

}  // namespace
}  // namespace nongemm
