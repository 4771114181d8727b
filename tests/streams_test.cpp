// Operator streams: what the graphs hold is what PyTorch eager dispatched for the originals.
// To check another stream: add a row.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "models/model.h"
#include "stream_reference.h"

namespace nongemm {
namespace {

constexpr double kRequired = 0.98;

struct StreamCase {
  std::string file;   // in fixtures/opstreams or tests/data/opstreams, without .json
  std::string model;  // registry name
  ModelOptions options;
};

void PrintTo(const StreamCase& test, std::ostream* out) { *out << test.file; }

const std::vector<StreamCase> kCases = {
    {"bert-b1-s128-eager", "bert", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"detr-b1", "detr", {.dtype = DType::kFloat16}},
    {"gpt2-b1-s256-eager", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kEager}},
    {"gpt2-b1-s256-sdpa", "gpt2", {.dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"llama3_8b-b1-s512-sdpa",
     "llama3-8b",
     {.sequence = 512, .dtype = DType::kFloat16, .attention = Attention::kSdpa}},
    {"swin_t-b1", "swin-t", {.dtype = DType::kFloat16}},
    {"vit_b-b1", "vit-b", {.dtype = DType::kFloat16}},
};

std::filesystem::path find_stream(const std::string& name) {
  const std::filesystem::path shared = std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/opstreams";
  const std::filesystem::path own = std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/opstreams";
  return std::filesystem::exists(own / (name + ".json")) ? own / (name + ".json") : shared / (name + ".json");
}

class Streams : public testing::TestWithParam<StreamCase> {};

TEST_P(Streams, MatchTheOriginal) {
  const StreamCase& test = GetParam();
  const Graph graph = build_graph(find_model(test.model), test.options);
  const StreamMatch match = match_stream(operator_stream(graph), find_stream(test.file));
  EXPECT_GE(match.share(), kRequired) << match.report();
  if (match.share() < 1.0) std::cout << test.file << ": " << match.report();
}

std::string test_name(const testing::TestParamInfo<StreamCase>& info) {
  std::string name = info.param.file;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Originals, Streams, testing::ValuesIn(kCases), test_name);

}  // namespace
}  // namespace nongemm
