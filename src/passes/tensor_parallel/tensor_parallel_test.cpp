// Graphs of one rank of several: their weights, their collectives and what is refused. That they compute the same is
// tried by tests/ranks_test.cpp.
#include "passes/tensor_parallel/tensor_parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "ops/builder.h"
#include "ops/check_graph.h"
#include "ops/communication.h"
#include "passes/tensor_parallel/plan.h"
#include "prepare/model.h"
#include "test_paths.h"

namespace nongemm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFamilies = NONGEMM_SHARED_DIR "/fixtures/families/";
constexpr const char* kNumerics = NONGEMM_SHARED_DIR "/fixtures/numerics/";

RankPlace rank_of(int rank, int ranks) { return {.rank = rank, .ranks = ranks}; }

Graph graph_of(const std::string& folder, const RankPlace& place = {}, const ModelOptions& options = {}) {
  return build_graph(find_model(folder), options, place);
}

std::map<std::string, int> collectives_of(const Graph& graph) {
  std::map<std::string, int> count;
  for (const Node& node : graph.nodes) {
    if (is_collective(node.op)) ++count[node.op];
  }
  return count;
}

Shape shape_of(const Graph& graph, const std::string& weight) {
  const auto found =
      std::find_if(graph.weights.begin(), graph.weights.end(), [&](const Weight& one) { return one.name == weight; });
  return found != graph.weights.end() ? graph.values[found->value].type.shape : Shape{};
}

std::string refusal(const std::string& folder, const RankPlace& place) {
  try {
    graph_of(folder, place);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(TensorParallel, EachRankHasItsPartOfTheWeights) {
  const std::string folder = std::string(kFamilies) + "mistral";
  const Graph whole = graph_of(folder);
  const Graph part = graph_of(folder, rank_of(1, 2));
  const std::string layer = "model.layers.0.";
  for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.up_proj"}) {
    const Shape shape = shape_of(whole, layer + name + ".weight");
    EXPECT_EQ(shape_of(part, layer + name + ".weight"), (Shape{shape[0] / 2, shape[1]})) << name;
  }
  for (const char* name : {"self_attn.o_proj", "mlp.down_proj"}) {
    const Shape shape = shape_of(whole, layer + name + ".weight");
    EXPECT_EQ(shape_of(part, layer + name + ".weight"), (Shape{shape[0], shape[1] / 2})) << name;
  }
  EXPECT_EQ(shape_of(part, layer + "input_layernorm.weight"), shape_of(whole, layer + "input_layernorm.weight"));
  ASSERT_NE(part.preparation, nullptr);
  EXPECT_EQ(shape_of(*part.preparation, layer + "mlp.up_proj.weight"), shape_of(whole, layer + "mlp.up_proj.weight"));
}

TEST(TensorParallel, OneSumAfterAttentionAndOneAfterTheMlp) {
  const Graph part = graph_of(std::string(kNumerics) + "gpt2", rank_of(0, 2));
  const auto blocks = std::count_if(part.scopes.begin(), part.scopes.end(),
                                    [](const Scope& scope) { return scope.type == "GPT2Block"; });
  ASSERT_GT(blocks, 0);
  EXPECT_EQ(collectives_of(part)[std::string(kAllReduceInPlace)], 2 * blocks);
  for (const Node& node : part.nodes) {
    if (node.op == kAllReduceInPlace) {
      EXPECT_THAT(part.scope_path(node.scope), testing::EndsWith("c_proj"));
    }
  }
}

TEST(TensorParallel, RowsOfExpertsAreSummedByTokenFirst) {
  const Graph part = graph_of(std::string(kFamilies) + "mixtral", rank_of(0, 2));
  const Graph whole = graph_of(std::string(kFamilies) + "mixtral");
  for (const Node& node : part.nodes) {
    if (node.op != kAllReduceInPlace) continue;
    const std::int64_t rows = element_count(part.values[node.outputs[0]].type.shape);
    EXPECT_EQ(rows, element_count(whole.values[whole.inputs[0].value].type.shape) *
                        part.values[node.outputs[0]].type.shape.back());
  }
}

class Planned : public testing::TestWithParam<std::string> {};

TEST_P(Planned, GraphsOfTwoRanksAreRightAndGiveTheSameOutputs) {
  const Graph whole = graph_of(GetParam());
  for (const Attention attention : {Attention::kSdpa, Attention::kEager}) {
    for (int rank = 0; rank < 2; ++rank) {
      const Graph part = graph_of(GetParam(), rank_of(rank, 2), {.attention = attention});
      EXPECT_THAT(problems_of(part), IsEmpty());
      ASSERT_NE(part.preparation, nullptr);
      EXPECT_THAT(problems_of(*part.preparation), IsEmpty());
      EXPECT_FALSE(collectives_of(part).empty());
      ASSERT_EQ(part.outputs.size(), whole.outputs.size());
      for (std::size_t i = 0; i < whole.outputs.size(); ++i) {
        EXPECT_EQ(part.values[part.outputs[i].value].type.shape, whole.values[whole.outputs[i].value].type.shape);
      }
    }
  }
}

std::vector<std::string> planned_folders() {
  std::vector<std::string> folders;
  for (const char* name : {"gpt2", "llama", "bert"}) folders.push_back(std::string(kNumerics) + name);
  for (const char* name :
       {"bert_cls", "bert_model", "clip_vision", "electra", "gemma2", "gemma3", "mistral", "mixtral", "phi3", "qwen2",
        "qwen3", "qwen3_moe", "roberta_mlm", "siglip_vision", "t5_encoder", "whisper", "hf_vit", "xlmr_cls"}) {
    folders.push_back(std::string(kFamilies) + name);
  }
  return folders;
}
INSTANTIATE_TEST_SUITE_P(Architectures, Planned, testing::ValuesIn(planned_folders()),
                         [](const auto& info) { return info.param.substr(info.param.rfind('/') + 1); });

/// A pass of a generation, of a prompt of 8 tokens or of one more after so many.
ModelOptions pass_of(CacheKind cache, std::int64_t past) {
  ModelOptions options;
  options.batch = 1;
  options.sequence = past == 0 ? 8 : 1;
  options.pass = GenerationPass{cache, past, /*longest=*/24, {}};
  return options;
}

using CachedFolder = std::pair<std::string, CacheKind>;
class Caches : public testing::TestWithParam<CachedFolder> {};

TEST_P(Caches, AreCutByHeadsInEveryPass) {
  const auto& [folder, cache] = GetParam();
  // Beyond the fixtures' windows, too.
  for (const std::int64_t past : {0, 8, 20}) {
    const Graph whole = graph_of(folder, {}, pass_of(cache, past));
    const Graph part = graph_of(folder, rank_of(1, 2), pass_of(cache, past));
    EXPECT_THAT(problems_of(part), IsEmpty());
    int caches = 0;
    const auto hold = [&](const std::string& name, ValueId in_part, ValueId in_whole) {
      const bool is_cache = name.ends_with(".key") || name.ends_with(".value");
      Shape shape = whole.values[in_whole].type.shape;
      if (is_cache) shape[1] /= 2;
      EXPECT_EQ(part.values[in_part].type.shape, shape) << name << " after " << past;
      caches += is_cache ? 1 : 0;
    };
    for (std::size_t i = 0; i < whole.inputs.size(); ++i) {
      hold(whole.inputs[i].name, part.inputs[i].value, whole.inputs[i].value);
    }
    for (std::size_t i = 0; i < whole.outputs.size(); ++i) {
      hold(whole.outputs[i].name, part.outputs[i].value, whole.outputs[i].value);
    }
    EXPECT_GT(caches, 0);
    // What is made of the layers is the only thing that is exchanged, and the logits.
    EXPECT_EQ(collectives_of(part)["_c10d_functional.all_gather_into_tensor.default"],
              part.attributes.contains("not cut") ? 0 : 1);
  }
}

std::vector<CachedFolder> cached_folders() {
  std::vector<CachedFolder> folders;
  for (const CacheKind cache : {CacheKind::kDynamic, CacheKind::kStatic}) {
    for (const char* name : {"gpt2", "llama"}) folders.emplace_back(std::string(kNumerics) + name, cache);
    for (const char* name : {"gemma2", "gemma3", "mistral", "mixtral", "phi3", "qwen2", "qwen3", "qwen3_moe"}) {
      folders.emplace_back(std::string(kFamilies) + name, cache);
    }
  }
  return folders;
}
INSTANTIATE_TEST_SUITE_P(Architectures, Caches, testing::ValuesIn(cached_folders()), [](const auto& info) {
  const std::string& folder = info.param.first;
  return folder.substr(folder.rfind('/') + 1) + (info.param.second == CacheKind::kStatic ? "_static" : "_dynamic");
});

TEST(TensorParallel, MoreRanksThanHeadsAreNamed) {
  const std::string message = refusal(std::string(kNumerics) + "gpt2", rank_of(0, 8));
  EXPECT_THAT(message, HasSubstr("4 heads"));
  EXPECT_THAT(message, HasSubstr("8 ranks"));
  EXPECT_THAT(message, HasSubstr("attn"));
}

TEST(TensorParallel, SizesThatDoNotDivideAreNamed) {
  EXPECT_THAT(refusal(std::string(kFamilies) + "qwen3", rank_of(0, 5)), HasSubstr("do not divide by 5 ranks"));
}

TEST(TensorParallel, AModelWithoutAPlanSaysHowToGiveOne) {
  const std::string message = refusal(std::string(kFamilies) + "convnext", rank_of(0, 2));
  EXPECT_THAT(message, HasSubstr("'convnext' has no plan"));
  EXPECT_THAT(message, HasSubstr("--tensor-parallel-plan"));
}

/// A plan file with these rows.
class PlanFile : public testing::Test {
 protected:
  RankPlace with(const std::string& rows) {
    const std::string path = (folder_.path() / "plan.toml").string();
    std::ofstream(path) << rows;
    return {.rank = 0, .ranks = 2, .plan = path};
  }
  TemporaryFolder folder_;
};

TEST_F(PlanFile, CutsWhatItSays) {
  const Graph part = graph_of(std::string(kFamilies) + "hf_vit",
                              with("[plan]\n\"mlp.fc1\" = \"colwise\"\n\"mlp.fc2\" = \"rowwise\"\n"));
  EXPECT_THAT(problems_of(part), IsEmpty());
  EXPECT_GT(collectives_of(part)[std::string(kAllReduceInPlace)], 0);
}

TEST_F(PlanFile, ASumTakesThePlaceOfItsPartForAllThatUseIt) {
  Builder b("views", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {4, 8}, {});
  const auto scope = b.scope("down", "Linear");
  const Tensor part = b.call("aten.linear.default", {x, b.parameter("weight", DType::kFloat32, {6, 8}, {})});
  b.output("flat", b.call("aten.view.default", {part, Shape{24}}));
  b.output("turned", b.call("aten.view.default", {part, Shape{6, 4}}));
  const Graph graph = passes::tensor_parallel(b.finish(), with("[plan]\n\"down\" = \"rowwise\"\n"), "");
  EXPECT_EQ(collectives_of(graph), (std::map<std::string, int>{{std::string(kAllReduceInPlace), 1}}));
  EXPECT_THAT(problems_of(graph), IsEmpty());
  for (const Output& output : graph.outputs) {
    const Node& view = graph.nodes[graph.values[output.value].producer];
    const NodeId sum = graph.values[std::get<Use>(view.args[0]).value].producer;
    EXPECT_EQ(graph.nodes[sum].op, kAllReduceInPlace) << output.name;
  }
}

TEST_F(PlanFile, ACacheOfAttentionThatIsNotCutStaysWhole) {
  const std::string folder = std::string(kNumerics) + "llama";
  const RankPlace place = with(
      "[plan]\n\"mlp.gate_proj\" = \"colwise\"\n\"mlp.up_proj\" = \"colwise\"\n"
      "\"mlp.down_proj\" = \"rowwise\"\n");
  const Graph whole = graph_of(folder, {}, pass_of(CacheKind::kDynamic, 8));
  const Graph part = graph_of(folder, place, pass_of(CacheKind::kDynamic, 8));
  for (std::size_t i = 0; i < whole.inputs.size(); ++i) {
    EXPECT_EQ(part.values[part.inputs[i].value].type.shape, whole.values[whole.inputs[i].value].type.shape);
  }
}

TEST_F(PlanFile, AnUnknownCutIsNamedWithThoseThereAre) {
  const std::string message = refusal(std::string(kFamilies) + "hf_vit", with("[plan]\n\"fc1\" = \"columns\"\n"));
  EXPECT_THAT(message, HasSubstr("'fc1' is cut as 'columns'"));
  EXPECT_THAT(message, HasSubstr("colwise, "));
}

TEST_F(PlanFile, OneThatCutsNothingIsRefused) {
  EXPECT_THAT(refusal(std::string(kFamilies) + "hf_vit", with("[plan]\n\"no.such\" = \"colwise\"\n")),
              HasSubstr("cuts nothing"));
}

TEST_F(PlanFile, WhatIsNoTomlIsNamedWithItsLine) {
  EXPECT_THAT(refusal(std::string(kFamilies) + "hf_vit", with("[plan\n")), HasSubstr("plan.toml, line 1"));
}

TEST_F(PlanFile, ACutThatNoOperatorCanFollowIsNamed) {
  const std::string message = refusal(std::string(kFamilies) + "hf_vit", with("[plan]\n\"mlp.fc1\" = \"colwise\"\n"));
  EXPECT_THAT(message, HasSubstr("its input is cut and its weight is whole"));
  EXPECT_THAT(message, HasSubstr("mlp.fc2"));
}

}  // namespace
}  // namespace nongemm
