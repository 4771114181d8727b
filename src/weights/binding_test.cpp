#include "weights/binding.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/half.h"

namespace nongemm::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

HostTensor tensor(Shape shape, float value = 0) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)), value);
  return HostTensor::from<float>(DType::kFloat32, std::move(shape), values);
}

WeightSpec spec(const std::string& name, Shape shape = {2}, DType dtype = DType::kFloat32,
                std::vector<std::string> aliases = {}) {
  return {name, dtype, std::move(shape), InitSpec{}, std::move(aliases)};
}

Checkpoint checkpoint(const std::vector<std::string>& names, float first = 1) {
  NamedTensors tensors;
  for (const std::string& name : names) tensors.emplace_back(name, tensor({2}, first++));
  return {"model.safetensors", "test", std::move(tensors)};
}

std::string error_of(const std::vector<WeightSpec>& specs, const Checkpoint& checkpoint,
                     const CheckpointRules& rules = {}) {
  try {
    bind_weights(specs, rules, checkpoint, "gpt2");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(BindWeights, SharesTensorsOfTheRightType) {
  const Checkpoint given = checkpoint({"b", "a"});
  const BoundWeights bound = bind_weights({spec("a"), spec("b")}, {}, given, "gpt2");
  ASSERT_EQ(bound.tensors.size(), 2u);
  EXPECT_EQ(bound.tensors[0].first, "a");
  EXPECT_EQ(bound.tensors[0].second.data, given.find("a")->data);
  EXPECT_EQ(bound.converted, 0u);
}

TEST(BindWeights, ConvertsOnlyWhatFitsIntoMemory) {
  HostTensor huge = tensor({1});  // its bytes are never read
  huge.dtype = DType::kFloat16;
  huge.shape = {std::int64_t{1} << 50};
  const Checkpoint given("f", "test", {{"w", huge}});
  EXPECT_THAT(error_of({spec("w", huge.shape)}, given), HasSubstr("type needs about 4503599.6 GB"));
  EXPECT_EQ(bind_weights({spec("w", huge.shape, DType::kFloat16)}, {}, given, "gpt2").converted, 0u);
}

TEST(BindWeights, ConvertsFloatingTypes) {
  const NamedTensors source = {{"w", tensor({1500, 1000}, 0.1f)}, {"v", tensor({3}, 7)}};
  const BoundWeights half = bind_weights({spec("w", {1500, 1000}, DType::kBFloat16), spec("v", {3})}, {},
                                         Checkpoint("f", "test", source), "gpt2");
  EXPECT_EQ(half.converted, 1u);
  EXPECT_EQ(half.tensors[0].first, "w");
  ASSERT_EQ(half.tensors[0].second.dtype, DType::kBFloat16);
  for (int i = 0; i < 1'500'000; ++i) {
    ASSERT_EQ(half.tensors[0].second.as<std::uint16_t>()[i], float_to_bfloat16(0.1f));
  }
  const BoundWeights back =
      bind_weights({spec("w", {1500, 1000}), spec("v", {3})}, {}, Checkpoint("f", "test", half.tensors), "gpt2");
  EXPECT_EQ(back.tensors[0].second.as<float>()[1'499'999], bfloat16_to_float(float_to_bfloat16(0.1f)));
}

TEST(BindWeights, HoldsTiedWeightsToTheirSpecUnderEveryName) {
  NamedTensors given = {{"w", tensor({2})}};
  given.emplace_back("tied", HostTensor::from<std::int64_t>(DType::kInt64, {2}, {1, 2}));
  given.emplace_back("other", tensor({3}));
  const std::string message =
      error_of({spec("w", {2}, DType::kFloat32, {"tied", "other"})}, Checkpoint("f", "test", given));
  EXPECT_THAT(message, HasSubstr("tied is int64, float32 is wanted"));
  EXPECT_THAT(message, HasSubstr("other is [3], [2] is wanted"));
}

TEST(BindWeights, NamesAllThatDoesNotFitAtOnce) {
  NamedTensors given = {{"a", tensor({2})}, {"b", tensor({3})}, {"extra", tensor({2})}, {"other", tensor({2})}};
  given.emplace_back("ids", HostTensor::from<std::int64_t>(DType::kInt64, {2}, {1, 2}));
  const std::string message = error_of({spec("a"), spec("b"), spec("c"), spec("ids"), spec("d")},
                                       Checkpoint("model.safetensors", "test", given));
  EXPECT_THAT(message, HasSubstr("model.safetensors: does not fit gpt2"));
  EXPECT_THAT(message, HasSubstr("2 missing: c, d\n"));
  EXPECT_THAT(message, HasSubstr("2 unexpected: extra, other\n"));
  EXPECT_THAT(message, HasSubstr("2 of wrong shape or type: b is [3], [2] is wanted, ids is int64, float32 is wanted"));
}

TEST(BindWeights, ShortensLongLists) {
  std::vector<WeightSpec> specs = {spec("a")};
  for (int i = 0; i < 1000; ++i) specs.push_back(spec(fmt::format("w{}", i)));
  const std::string message = error_of(specs, checkpoint({"a"}));
  EXPECT_THAT(message, HasSubstr("1000 missing: w0, w1,"));
  EXPECT_THAT(message, HasSubstr("w9 and 990 more"));
  EXPECT_LT(message.size(), 500u);
}

TEST(BindWeights, RecognisesAnotherArchitecture) {
  EXPECT_THAT(error_of({spec("a"), spec("b")}, checkpoint({"x", "y", "z"})),
              HasSubstr("none of its 3 tensors belongs to gpt2"));
}

TEST(BindWeights, AddsAPrefixThatTheCheckpointLacks) {
  CheckpointRules rules;
  rules.optional_prefixes = {"transformer."};
  rules.ignored = {"*.attn.bias"};
  const Checkpoint published = checkpoint({"wte.weight", "h.0.attn.bias", "h.0.ln_1.weight"});
  const std::vector<WeightSpec> specs = {spec("transformer.wte.weight", {2}, DType::kFloat32, {"lm_head.weight"}),
                                         spec("transformer.h.0.ln_1.weight")};
  const BoundWeights bound = bind_weights(specs, rules, published, "gpt2");
  EXPECT_EQ(bound.tensors[1].second.as<float>()[0], 3.0f);
  EXPECT_THAT(bound.ignored, ElementsAre("h.0.attn.bias"));
}

TEST(BindWeights, TakesAPrefixAwayAndLeavesHeadsAside) {
  CheckpointRules rules;
  rules.optional_prefixes = {"bert."};
  const std::vector<WeightSpec> base = {spec("embeddings.LayerNorm.weight"), spec("pooler.dense.bias")};
  const BoundWeights bound = bind_weights(
      base, rules, checkpoint({"bert.embeddings.LayerNorm.gamma", "bert.pooler.dense.bias", "cls.predictions.bias"}),
      "bert");
  EXPECT_EQ(bound.tensors[0].second.as<float>()[0], 1.0f);
  EXPECT_THAT(bound.ignored, ElementsAre("cls.predictions.bias"));
  // Inside the base model nothing may be left over, and a model with a head gets no other head's weights.
  EXPECT_THAT(
      error_of(base, checkpoint({"bert.embeddings.LayerNorm.gamma", "bert.pooler.dense.bias", "bert.extra"}), rules),
      HasSubstr("1 unexpected: bert.extra"));
  EXPECT_THAT(error_of({spec("bert.pooler.dense.bias"), spec("classifier.weight")},
                       checkpoint({"bert.pooler.dense.bias", "cls.predictions.bias"}), rules),
              HasSubstr("1 missing: classifier.weight\n  1 unexpected: cls.predictions.bias"));
}

/// Two experts of [in 2] -> [inner 1], gate and up apart, under an old prefix.
NamedTensors expert_pieces() {
  NamedTensors given;
  for (const int expert : {1, 0}) {
    for (const char* part : {"w3", "w1"}) {
      const float value = static_cast<float>(expert * 10 + (part[1] - '0'));
      given.emplace_back(fmt::format("moe.experts.{}.{}.weight", expert, part), tensor({1, 2}, value));
    }
  }
  return given;
}

TEST(BindWeights, PutsExpertsTogether) {
  CheckpointRules rules;
  rules.renames = {{"moe.", "mlp."}};
  rules.pieces = {{".experts.gate_up_proj", {".experts.#.w1.weight", ".experts.#.w3.weight"}}};
  const std::vector<WeightSpec> specs = {spec("mlp.experts.gate_up_proj", {2, 2, 2})};
  const BoundWeights bound = bind_weights(specs, rules, Checkpoint("f", "test", expert_pieces()), "mixtral");
  const float* joined = bound.tensors[0].second.as<float>();
  EXPECT_THAT(std::vector<float>(joined, joined + 8), ElementsAre(1, 1, 3, 3, 11, 11, 13, 13));
  EXPECT_EQ(bound.converted, 0u);

  NamedTensors damaged = expert_pieces();
  damaged[0].second = tensor({2, 2});
  damaged.erase(damaged.begin() + 1);
  const std::string message = error_of(specs, Checkpoint("f", "test", damaged), rules);
  EXPECT_THAT(message, HasSubstr("1 missing: mlp.experts.1.w1.weight"));
  EXPECT_THAT(message, HasSubstr("moe.experts.1.w3.weight is [2, 2], [1, 2] is wanted"));

  NamedTensors twice = expert_pieces();
  twice.emplace_back("mlp.experts.gate_up_proj", tensor({2, 2, 2}));
  EXPECT_THAT(error_of(specs, Checkpoint("f", "test", twice), rules), HasSubstr("whole and in pieces"));
}

TEST(BindWeights, SharesTiedWeightsUnderAnyOfTheirNames) {
  const WeightSpec tied = spec("transformer.wte.weight", {2}, DType::kFloat32, {"lm_head.weight"});
  for (const std::vector<std::string>& names : {std::vector<std::string>{"lm_head.weight"},
                                                {"transformer.wte.weight"},
                                                {"lm_head.weight", "transformer.wte.weight"}}) {
    NamedTensors same;
    for (const std::string& name : names) same.emplace_back(name, tensor({2}, 1));
    const Checkpoint given("model.safetensors", "test", std::move(same));
    const BoundWeights bound = bind_weights({tied}, {}, given, "gpt2");
    EXPECT_EQ(bound.tensors[0].first, "transformer.wte.weight");
    EXPECT_EQ(bound.tensors[0].second.data, given.find(names.back())->data);
    EXPECT_TRUE(bound.ignored.empty());
  }
}

TEST(BindWeights, RefusesTiedWeightsOfDifferentValues) {
  const WeightSpec tied = spec("transformer.wte.weight", {2}, DType::kFloat32, {"lm_head.weight"});
  EXPECT_THAT(error_of({tied}, checkpoint({"lm_head.weight", "transformer.wte.weight"})),
              testing::AllOf(HasSubstr("of different values here: transformer.wte.weight and lm_head.weight"),
                             HasSubstr("\"tie_word_embeddings\": false")));
}

TEST(BindWeights, TiedWeightsMayDifferInTypeAndSignOfZero) {
  const WeightSpec tied = spec("transformer.wte.weight", {2}, DType::kFloat32, {"lm_head.weight"});
  const auto bind = [&](const HostTensor& head) {
    const Checkpoint given("f", "test",
                           {{"transformer.wte.weight", HostTensor::from<float>(DType::kFloat32, {2}, {0.0f, 1.5f})},
                            {"lm_head.weight", head}});
    return error_of({tied}, given);
  };
  EXPECT_EQ(bind(HostTensor::from<float>(DType::kFloat32, {2}, {-0.0f, 1.5f})), "no error");
  EXPECT_EQ(bind(HostTensor::from<std::uint16_t>(DType::kFloat16, {2}, {0, 0x3E00})), "no error");  // 1.5
  EXPECT_THAT(bind(HostTensor::from<std::uint16_t>(DType::kFloat16, {2}, {0, 0x3E01})), HasSubstr("different values"));
}

TEST(BindWeights, RenamesOnlyWhatIsNotKnownAlready) {
  CheckpointRules rules;
  rules.renames = {{"layers.*.fc1", "layers.*.mlp.fc1"}};
  EXPECT_EQ(bind_weights({spec("layers.0.mlp.fc1")}, rules, checkpoint({"layers.0.fc1"}), "detr").tensors.size(), 1u);
  EXPECT_EQ(bind_weights({spec("layers.0.fc1")}, rules, checkpoint({"layers.0.fc1"}), "detr").tensors.size(), 1u);
  EXPECT_THAT(error_of({spec("layers.0.mlp.fc1")}, checkpoint({"layers.0.fc1", "layers.0.mlp.fc1"}), rules),
              HasSubstr("1 under two names: layers.0.mlp.fc1 (layers.0.fc1 and layers.0.mlp.fc1)"));
}

TEST(BindWeights, UnwrapsDataParallel) {
  CheckpointRules rules;
  rules.ignored = {"*.num_batches_tracked"};
  const BoundWeights bound = bind_weights({spec("bn.weight")}, rules,
                                          checkpoint({"module.bn.weight", "module.bn.num_batches_tracked"}), "swin-t");
  EXPECT_THAT(bound.ignored, ElementsAre("module.bn.num_batches_tracked"));
}

TEST(WeightSpecs, AreTheGraphsWeights) {
  Graph graph;
  graph.values.resize(2);
  graph.values[1].type.dtype = DType::kFloat16;
  graph.values[1].type.shape = {3, 4};
  graph.weights = {Weight{1, "wte.weight", InitSpec::constant(1), {"lm_head.weight"}}};
  const std::vector<WeightSpec> specs = weight_specs(graph);
  ASSERT_EQ(specs.size(), 1u);
  EXPECT_EQ(specs[0].dtype, DType::kFloat16);
  EXPECT_EQ(specs[0].shape, (Shape{3, 4}));
  EXPECT_EQ(specs[0].init, InitSpec::constant(1));
  EXPECT_THAT(specs[0].aliases, ElementsAre("lm_head.weight"));
}

}  // namespace
}  // namespace nongemm::weights
