// Operator streams: what the graphs hold is what PyTorch eager dispatched for the originals.
// To check another stream: add a row, or an operators.json to a folder of tests/data/numerics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "models/model.h"
#include "profile/verify.h"
#include "stream_reference.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

constexpr double kRequired = 0.98;

struct StreamCase {
  std::string file;   // in fixtures/opstreams or tests/data/opstreams, without .json
  std::string model;  // registry name
  ModelOptions options;
};

std::ostream& operator<<(std::ostream& out, const StreamCase& test) { return out << test.file; }

const std::vector<StreamCase> kCases = {
    {"bert-b1-s128-eager", "bert", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"detr-b1", "detr", {.dtype = DType::kFloat16}},
    {"gpt2-b1-s256-eager", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"gpt2-b1-s256-sdpa", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"llama3_8b-b1-s512-sdpa", "llama3-8b", {.sequence = 512, .dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"maskformer-b1", "maskformer", {.padding = Padding::kNone}},
    {"segformer_b0-b1", "segformer", {}},
    {"segformer_b0-b1-eager", "segformer", {.attention = Attention::kEager}},
    {"swin_t-b1-h256-w320", "swin-t", {.height = 256, .width = 320}},
    {"maskrcnn-b1", "maskrcnn", {.device = "cuda"}},
    {"swin_t-b1", "swin-t", {.dtype = DType::kFloat16}},
    {"vit_b-b1", "vit-b", {.dtype = DType::kFloat16}},
};

std::filesystem::path find_stream(const std::string& name) {
  const std::filesystem::path shared = std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/opstreams";
  const std::filesystem::path own = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/opstreams";
  return std::filesystem::exists(own / (name + ".json")) ? own / (name + ".json") : shared / (name + ".json");
}

void expect_match(const Graph& graph, const std::filesystem::path& reference) {
  const StreamMatch match = match_stream(operator_stream(graph), reference);
  EXPECT_GE(match.share(), kRequired) << match.report();
  if (match.share() < 1.0) std::cout << reference.string() << ": " << match.report();
}

std::string identifier(std::string name) {
  const auto is_other = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; };
  std::replace_if(name.begin(), name.end(), is_other, '_');
  return name;
}

class NamedModels : public testing::TestWithParam<StreamCase> {};

TEST_P(NamedModels, DispatchTheOriginalsOperators) {
  const StreamCase& test = GetParam();
  expect_match(build_graph(find_model(test.model), test.options), find_stream(test.file));
}

INSTANTIATE_TEST_SUITE_P(Streams, NamedModels, testing::ValuesIn(kCases),
                         [](const auto& info) { return identifier(info.param.file); });

std::vector<std::string> folders_with_streams() {
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(NONGEMM_SOURCE_DIR "/tests/data/numerics")) {
    if (std::filesystem::exists(entry.path() / "operators.json")) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

class Folders : public testing::TestWithParam<std::string> {};

TEST_P(Folders, DispatchTheOriginalsOperators) {
  const std::filesystem::path folder = GetParam();
  const std::string type = Config::read_file((folder / "config.json").string()).text("model_type");
  const auto all = architectures();
  if (std::none_of(all.begin(), all.end(), [&](const Architecture* a) { return a->model_type == type; })) {
    FAIL() << "no architecture for model_type '" << type << "' is built in";
  }
  const Model model = find_model(folder.string());
  ModelOptions options;
  if (model.config.text("_attn_implementation", "") == "eager") options.attention = Attention::kEager;
  const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
  expect_match(build_graph(model, options_for(inputs, options)), folder / "operators.json");
}

INSTANTIATE_TEST_SUITE_P(Streams, Folders, testing::ValuesIn(folders_with_streams()), [](const auto& info) {
  return identifier(std::filesystem::path(info.param).filename().string());
});

}  // namespace
}  // namespace nongemm
