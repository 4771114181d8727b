// Text generation against transformers: tokens, the logits of every step, and the operators of a prompt's pass and of a
// step, with both caches. Cases are written by tests/reference/make_generation.py.
#include "generate/generation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "flows/load.h"
#include "graph/state.h"
#include "ops/stream.h"
#include "stream_reference.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "verify/generation.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 1e-3;

Flow& flow(const char* name) {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow(name);
}

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> places = {std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/generation",
                                               std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/generation"};
  if (const char* more = std::getenv("NONGEMM_GENERATION_CASES")) places.emplace_back(more);
  std::vector<std::filesystem::path> folders;
  for (const std::filesystem::path& place : places) {
    if (!std::filesystem::exists(place)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(place)) {
      if (std::filesystem::exists(entry.path() / "config.json")) folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

using Case = std::pair<std::filesystem::path, CacheKind>;

std::vector<Case> with_caches(const std::vector<std::filesystem::path>& folders) {
  std::vector<Case> all;
  for (const std::filesystem::path& folder : folders) {
    all.emplace_back(folder, CacheKind::kDynamic);
    // A case whose operators are known of one cache alone is refused with the other (Phi-3 behind its first factors).
    const bool only_dynamic =
        std::filesystem::exists(folder / "step_dynamic.json") && !std::filesystem::exists(folder / "step_static.json");
    if (!only_dynamic) all.emplace_back(folder, CacheKind::kStatic);
  }
  return all;
}

std::string cache_name(CacheKind cache) { return cache == CacheKind::kStatic ? "static" : "dynamic"; }

std::string identifier(const testing::TestParamInfo<Case>& test) {
  std::string name = test.param.first.parent_path().filename().string() + "_" + test.param.first.filename().string() +
                     "_" + cache_name(test.param.second);
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Generations : public testing::TestWithParam<Case> {};

void expect_match(const Case& generation, Flow& flow, bool replayable = false) {
  const auto& [folder, cache] = generation;
  const std::vector<OutputDifference> rows = verify_generation(folder, flow, {}, {}, cache, replayable);
  ASSERT_EQ(rows.size(), 2U);
  for (const OutputDifference& row : rows) {
    EXPECT_EQ(row.mismatch, "") << row.name;
    const double allowed = row.name == "tokens" ? 0.0 : allowed_difference(row, kTolerance);
    EXPECT_LE(row.largest_absolute, allowed) << row.name;
  }
}

TEST_P(Generations, MatchTheOriginal) { expect_match(GetParam(), flow("torch")); }

/// The graphs that a device replays: nothing in them is counted by the host.
TEST_P(Generations, MatchTheOriginalAsTheyAreReplayed) {
  if (GetParam().second == CacheKind::kDynamic) return;
  expect_match(GetParam(), flow("torch"), /*replayable=*/true);
}

#ifdef NONGEMM_HAS_ORT
TEST_P(Generations, MatchTheOriginalInOnnxRuntime) { expect_match(GetParam(), flow("ort")); }
#endif

/// Graphs as verify_generation builds them.
GenerationGraphs graphs_of(const std::filesystem::path& folder, CacheKind cache) {
  const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
  const NamedTensors outputs = weights::read_safetensors(folder / "outputs.safetensors");
  const Prompt prompt = {*find_tensor(inputs, "input_ids"), *find_tensor(inputs, "attention_mask")};
  Model model = find_model(folder.string());
  ModelOptions options;
  options.attention = attention_of(model, Attention::kDefault);
  options.padding = padding_of_prompt(prompt);
  options.sequence_from_inputs = true;
  const GenerationPlan plan = {.batch = prompt.ids.shape[0],
                               .prompt = prompt.ids.shape[1],
                               .tokens = find_tensor(outputs, "tokens")->shape[1],
                               .least_padding = least_padding(prompt),
                               .cache = cache};
  return {std::move(model), options, plan};
}

/// What is around the original's forward is not in its stream.
std::vector<StreamEntry> forward_stream(const Graph& graph) {
  std::vector<StreamEntry> stream = operator_stream(graph, IdleCasts::kListed);
  std::erase_if(stream, [](const StreamEntry& entry) { return entry.scope == "generate"; });
  return stream;
}

void expect_stream(const Graph& graph, const std::filesystem::path& reference) {
  if (!std::filesystem::exists(reference) || graph.blocks.size() > 1) return;
  const std::vector<StreamEntry> ours = forward_stream(graph);
  std::string text;
  bool fills = false;
  for (const StreamDifference& difference : stream_differences(ours, reference)) {
    // The original makes a static cache in its first layers' passes: two tensors of zeros, and a counter that is moved.
    const bool makes_cache =
        !difference.ours && (difference.op == "aten::zeros" || (fills && difference.op == "aten::to"));
    fills = makes_cache && difference.op == "aten::zeros";
    if (makes_cache) continue;
    text += (difference.ours ? "  ours:     " : "  original: ") + difference.text + "\n";
  }
  EXPECT_EQ(text, "") << reference;
}

TEST_P(Generations, DispatchTheOriginalsOperators) {
  const auto& [folder, cache] = GetParam();
  const GenerationGraphs graphs = graphs_of(folder, cache);
  expect_stream(*graphs.prompt(), folder / ("prompt_" + cache_name(cache) + ".json"));
  if (graphs.plan().tokens < 2) return;
  expect_stream(graphs.step(graphs.plan().tokens / 2), folder / ("step_" + cache_name(cache) + ".json"));
}

INSTANTIATE_TEST_SUITE_P(Originals, Generations, testing::ValuesIn(with_caches(cases())), identifier);

TEST(GenerationReferences, AreThere) { EXPECT_GE(cases().size(), 3U) << "in " NONGEMM_SHARED_DIR; }

GenerationGraphs registered(const std::string& name, const GenerationPlan& plan) {
  return {find_model(name), {}, plan};
}

TEST(GenerationGraphs, OneGraphStandsForAllStepsOfADynamicCache) {
  GenerationGraphs graphs = registered("gpt2", {.prompt = 16, .tokens = 40});
  const GrowingGraph& growing = graphs.growing(1);
  EXPECT_EQ(growing.first, 1);
  EXPECT_EQ(growing.last, 39);
  EXPECT_FALSE(growing.growth.empty());
  EXPECT_EQ(&graphs.growing(20), &growing);
}

TEST(GenerationGraphs, AStaticCachesStepDoesNotGrow) {
  GenerationGraphs graphs = registered("llama3.2-1b", {.prompt = 16, .tokens = 40, .cache = CacheKind::kStatic});
  const GrowingGraph& growing = graphs.growing(1);
  EXPECT_EQ(growing.last, 39);
  EXPECT_TRUE(growing.growth.empty());
}

/// From the first step on: whether graphs stand for steps without any number that grows, and how many graphs they are.
std::pair<bool, int> replayed(GenerationGraphs& graphs) {
  bool grows = false;
  int count = 0;
  for (std::int64_t i = 1; i < graphs.plan().tokens; i = graphs.growing(i).last + 1, ++count) {
    grows = grows || !graphs.growing(i).growth.empty();
  }
  return {grows, count};
}

TEST(GenerationGraphs, AReplayableWindowIsCountedOnTheDevice) {
  for (const std::string name : {"gemma3-1b", "gemma2-2b", "mistral-7b", "gpt-oss-20b"}) {
    const std::int64_t window = name == "mistral-7b" || name == "gemma2-2b" ? 4096 : name == "gpt-oss-20b" ? 128 : 512;
    GenerationPlan plan = {.prompt = window - 4, .tokens = 9, .cache = CacheKind::kStatic};
    GenerationGraphs usual = registered(name, plan);
    EXPECT_TRUE(replayed(usual).first) << name;
    plan.replayable = true;
    GenerationGraphs graphs = registered(name, plan);
    EXPECT_EQ(replayed(graphs), std::pair(false, 2)) << name;  // before the window is full, and after
  }
}

TEST(GenerationGraphs, AWindowThatFillsUpIsAnotherGraph) {
  GenerationGraphs graphs = registered("gemma3-1b", {.prompt = 500, .tokens = 40});
  EXPECT_LT(graphs.growing(1).last, 39);
  EXPECT_EQ(graphs.growing(39).last, 39);
}

TEST(GenerationGraphs, SayWhatIsWrong) {
  const auto message = [](const std::string& name, const GenerationPlan& plan) -> std::string {
    try {
      registered(name, plan);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("gpt2", {.prompt = 1000, .tokens = 26}).find("n_positions"), std::string::npos);
  EXPECT_EQ(message("gpt2", {.prompt = 1000, .tokens = 25}), "");
  EXPECT_NE(message("bert", {.prompt = 8, .tokens = 2}).find("generates no text"), std::string::npos);
  EXPECT_NE(message("gpt2", {.prompt = 0, .tokens = 2}).find("--prompt"), std::string::npos);
}

TEST(Prompts, SayWhatIsWrong) {
  const HostTensor ids = HostTensor::from<std::int64_t>(DType::kInt64, {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto check = [&](const std::vector<std::int64_t>& mask) {
    check_prompt({ids, HostTensor::from<std::int64_t>(DType::kInt64, {2, 3}, mask)});
  };
  EXPECT_NO_THROW(check({0, 1, 1, 1, 1, 1}));
  EXPECT_THROW(check({1, 1, 0, 1, 1, 1}), Error);
  EXPECT_THROW(check({0, 0, 0, 1, 1, 1}), Error);
  EXPECT_THROW(check({2, 2, 2, 1, 1, 1}), Error);
  EXPECT_THROW(check_prompt({ids, HostTensor::from<std::int64_t>(DType::kInt64, {1, 3}, {1, 1, 1})}), Error);
}

}  // namespace
}  // namespace nongemm
