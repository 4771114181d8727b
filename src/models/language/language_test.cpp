// The language models: sizes of the named rows, what configurations and inputs decide, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/rope.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

constexpr const char* kTinyLlama = R"("vocab_size": 7, "hidden_size": 16, "intermediate_size": 8,
                                      "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                                      "max_position_embeddings": 32)";
constexpr const char* kTinyBert = R"("vocab_size": 7, "hidden_size": 16, "intermediate_size": 8,
                                     "num_hidden_layers": 2, "num_attention_heads": 4,
                                     "max_position_embeddings": 32)";
constexpr const char* kTinyGpt2 = R"("vocab_size": 7, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32)";

/// @param more further keys, or overriding ones: `, "key": value`
Graph build_with(const Architecture& architecture, const std::string& keys, const std::string& more = "",
                 const ModelOptions& options = {}) {
  return build(architecture, "{" + keys + more + "}", options);
}

std::size_t count(const Graph& graph, std::string_view op) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == op; }));
}

TEST(Language, EveryActivationOfTransformersBuildsOrIsNamed) {
  for (const char* name : {"gelu",
                           "gelu_10",
                           "gelu_accurate",
                           "gelu_fast",
                           "gelu_new",
                           "gelu_python",
                           "gelu_python_tanh",
                           "gelu_pytorch_tanh",
                           "hardswish",
                           "laplace",
                           "leaky_relu",
                           "linear",
                           "mish",
                           "quick_gelu",
                           "relu",
                           "relu2",
                           "relu6",
                           "sigmoid",
                           "silu",
                           "sqrtsoftplus",
                           "swish",
                           "tanh"}) {
    const Graph graph = build_with(bert_architecture(), kTinyBert, std::string(R"(, "hidden_act": ")") + name + '"');
    EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{1, 32, 7})) << name;
  }
  EXPECT_THAT(refusal([] { build_with(bert_architecture(), kTinyBert, R"(, "hidden_act": "prelu")"); }),
              HasSubstr("prelu"));
}

TEST(Language, PaddingDecidesTheMaskOperators) {
  const auto masked = [](Padding padding, Attention attention) {
    ModelOptions options;
    options.padding = padding;
    options.attention = attention;
    return build_with(llama_architecture(), kTinyLlama, "", options);
  };
  EXPECT_EQ(count(masked(Padding::kNone, Attention::kSdpa), "aten.is_nonzero.default"), 0U);
  EXPECT_EQ(count(masked(Padding::kFull, Attention::kSdpa), "aten.is_nonzero.default"), 1U);
  EXPECT_EQ(count(masked(Padding::kPadded, Attention::kSdpa), "aten.is_nonzero.default"), 2U);
  EXPECT_EQ(count(masked(Padding::kFull, Attention::kSdpa), "aten.le.Tensor"), 0U);
  EXPECT_EQ(count(masked(Padding::kNone, Attention::kEager), "aten.where.ScalarOther"), 1U);
}

TEST(Language, RefusesInputsItDoesNotKnow) {
  ModelOptions options;
  options.extra_inputs = {"position_ids"};
  EXPECT_THAT(refusal([&] { build_with(gpt2_architecture(), kTinyGpt2, "", options); }), HasSubstr("position_ids"));
}

TEST(Language, RefusesMoreTokensThanPositions) {
  ModelOptions options;
  options.sequence = 33;
  EXPECT_THAT(refusal([&] { build_with(gpt2_architecture(), kTinyGpt2, "", options); }), HasSubstr("n_positions"));
  EXPECT_THAT(refusal([&] { build_with(bert_architecture(), kTinyBert, "", options); }),
              HasSubstr("max_position_embeddings"));
  EXPECT_THAT(refusal([&] { build_with(llama_architecture(), kTinyLlama, "", options); }),
              HasSubstr("max_position_embeddings"));
  // The original runs on: it is only refused where nobody has inputs of that length.
  options.sequence_from_inputs = true;
  EXPECT_NO_THROW(build_with(llama_architecture(), kTinyLlama, "", options));
  options.sequence = 0;
  EXPECT_THAT(refusal([&] { build_with(llama_architecture(), kTinyLlama, "", options); }), HasSubstr("0 tokens"));
}

/// As transformers 5.17: see drops_cache() in phi3.cpp.
TEST(Language, Phi3DropsItsCacheWhereTheFactorsChange) {
  const auto build = [](std::int64_t past, std::int64_t prompt, std::int64_t longest, CacheKind cache) {
    ModelOptions options;
    options.sequence = past == 0 ? prompt : 1;
    options.pass = GenerationPass{.cache = cache, .past = past, .prompt = prompt, .longest = longest};
    return build_with(phi3_architecture(),
                      R"("vocab_size": 7, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
                         "num_attention_heads": 4, "pad_token_id": null, "max_position_embeddings": 64,
                         "original_max_position_embeddings": 14,
                         "rope_parameters": {"rope_type": "longrope", "short_factor": [1.0, 1.1],
                                             "long_factor": [1.5, 2.0], "original_max_position_embeddings": 14})",
                      "", options);
  };
  const auto finds_cache = [&](std::int64_t past, std::int64_t prompt) {
    const Graph graph = build(past, prompt, 20, CacheKind::kDynamic);
    return std::any_of(graph.inputs.begin(), graph.inputs.end(),
                       [](const Input& input) { return input.name == "past.0.key"; });
  };
  EXPECT_TRUE(finds_cache(13, 9));
  EXPECT_FALSE(finds_cache(14, 9));
  EXPECT_FALSE(finds_cache(15, 9));
  EXPECT_TRUE(finds_cache(15, 15));  // all with the factors of long texts
  EXPECT_NO_THROW(build(0, 9, 14, CacheKind::kStatic));
  EXPECT_THAT(refusal([&] { build(0, 9, 15, CacheKind::kStatic); }), HasSubstr("behind token 14"));
  EXPECT_THAT(refusal([&] { build(0, 14, 15, CacheKind::kStatic); }), HasSubstr("original_max_position_embeddings"));
}

TEST(Language, RefusesSizesThatNoMachineHolds) {
  ModelOptions options;
  options.batch = std::int64_t{1} << 62;
  EXPECT_THAT(refusal([&] { build_with(gpt2_architecture(), kTinyGpt2, "", options); }), HasSubstr("too large"));
  options.batch = 1;
  options.sequence = std::int64_t{1} << 46;
  EXPECT_THAT(refusal([&] {
                build_with(llama_architecture(), kTinyLlama, R"(, "rope_scaling": {"type": "dynamic", "factor": 2},
                                                           "head_dim": 4)",
                           options);
              }),
              HasSubstr("too large"));
}

TEST(Bert, RefusesWhatItCannotBuild) {
  const auto message = [](const char* key) {
    return refusal([&] { build_with(bert_architecture(), kTinyBert, std::string(", ") + key); });
  };
  EXPECT_THAT(message(R"("num_attention_heads": 3)"), HasSubstr("num_attention_heads"));
  EXPECT_THAT(message(R"("chunk_size_feed_forward": 5)"), HasSubstr("chunk_size_feed_forward"));
  EXPECT_THAT(message(R"("add_cross_attention": true)"), HasSubstr("add_cross_attention"));
  EXPECT_THAT(message(R"("num_hidden_layers": 1000000000)"), HasSubstr("num_hidden_layers"));
  EXPECT_THAT(message(R"("max_position_embeddings": 1000000000)"), HasSubstr("max_position_embeddings"));
  EXPECT_THAT(message(R"("vocab_size": "many")"), HasSubstr("vocab_size"));
}

TEST(Language, BuildsTheClassThatTheConfigurationNames) {
  const auto built = [](const char* key) {
    return build_with(bert_architecture(), kTinyBert, key).attributes.at("class");
  };
  EXPECT_EQ(built(""), "BertForMaskedLM");
  EXPECT_EQ(built(R"(, "architectures": null)"), "BertForMaskedLM");
  EXPECT_EQ(built(R"(, "architectures": "BertModel")"), "BertForMaskedLM");  // no list: it says nothing
  EXPECT_EQ(built(R"(, "architectures": ["BertForPreTraining", "BertModel"])"), "BertModel");
  EXPECT_EQ(built(R"(, "architectures": ["BertForSequenceClassification"])"), "BertForSequenceClassification");
  const std::string refused = refusal(
      [&] { build_with(bert_architecture(), kTinyBert, R"(, "architectures": ["BertForSequenceClassifier"])"); });
  EXPECT_THAT(refused, HasSubstr("BertForSequenceClassifier"));
  EXPECT_THAT(refused, HasSubstr("BertForSequenceClassification"));
}

TEST(Gpt2, TakesTheKeysOfOtherModels) {
  const Graph graph = build_with(gpt2_architecture(), kTinyGpt2, R"(, "num_hidden_layers": 3, "hidden_size": 8)");
  EXPECT_EQ(count(graph, "aten.scaled_dot_product_attention.default"), 3U);
  EXPECT_EQ(graph.values[graph.weights.at(0).value].type.shape, (Shape{7, 8}));
}

TEST(Llama, RefusesWhatItCannotBuild) {
  const auto message = [](const char* key) {
    return refusal([&] { build_with(llama_architecture(), kTinyLlama, std::string(", ") + key); });
  };
  EXPECT_THAT(message(R"("num_key_value_heads": 3)"), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(message(R"("num_attention_heads": 3)"), HasSubstr("num_attention_heads"));
  EXPECT_THAT(message(R"("head_dim": 7)"), HasSubstr("head_dim"));
  EXPECT_THAT(message(R"("rope_scaling": 2)"), HasSubstr("rope_scaling"));
  EXPECT_THAT(message(R"("rope_scaling": {"type": "su"})"), HasSubstr("'su'"));
  EXPECT_THAT(message(R"("rope_scaling": {"type": "linear"})"), HasSubstr("factor"));
  EXPECT_THAT(message(R"("rope_parameters": {"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5})"),
              HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(message(R"("rope_scaling": {"type": "longrope", "short_factor": [1], "long_factor": [1, 2]})"),
              HasSubstr("short_factor"));
}

struct RopeCase {
  const char* name;
  std::int64_t head_width;
  std::int64_t tokens;
  const char* keys;
  std::vector<float> frequencies;
  double scaling;
};

// Values of transformers 5.17's ROPE_INIT_FUNCTIONS for max_position_embeddings 64.
const std::vector<RopeCase> kRopeCases = {
    {"default", 8, 16, "{}", {1.0F, 0.1F, 0.01F, 0.001F}, 1.0},
    {"theta", 8, 16, R"({"rope_theta": 16})", {1.0F, 0.5F, 0.25F, 0.125F}, 1.0},
    {"linear",
     8,
     16,
     R"({"rope_scaling": {"type": "linear", "factor": 4.0}})",
     {0.25F, 0.025F, 0.0025F, 0.00025F},
     1.0},
    {"dynamic within its positions",
     8,
     64,
     R"({"rope_scaling": {"type": "dynamic", "factor": 2.0}})",
     {1.0F, 0.1F, 0.01F, 0.001F},
     1.0},
    {"dynamic beyond",
     8,
     200,
     R"({"rope_scaling": {"type": "dynamic", "factor": 2.0}})",
     {1.0F, 0.0575369596F, 0.0033105016F, 0.0001904762F},
     1.0},
    {"yarn",
     16,
     16,
     R"({"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512,
                             "mscale": 0.7, "mscale_all_dim": 1.3, "truncate": false}})",
     {1.0F, 0.3014064729F, 0.0703986362F, 0.0143833589F, 0.0024999999F, 0.0007905695F, 0.00025F, 7.90569e-05F},
     0.9295234923939468},
    {"llama3",
     16,
     16,
     R"({"rope_parameters": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                             "original_max_position_embeddings": 512}})",
     {1.0F, 0.3162277639F, 0.1000000015F, 0.0184966773F, 0.00125F, 0.0003952847F, 0.000125F, 3.95285e-05F},
     1.0},
    {"longrope, short",
     8,
     16,
     R"({"rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.5],
                          "long_factor": [1.5, 2.0, 3.0, 4.0]}, "original_max_position_embeddings": 16})",
     {1.0F, 0.0909090936F, 0.0076923077F, 0.0006666667F},
     1.224744871391589},
    {"longrope, long",
     8,
     17,
     R"({"rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.5],
                          "long_factor": [1.5, 2.0, 3.0, 4.0]}, "original_max_position_embeddings": 16})",
     {0.6666666865F, 0.0500000007F, 0.0033333334F, 0.00025F},
     1.224744871391589},
    {"proportional",
     8,
     16,
     R"({"rope_parameters": {"rope_type": "proportional", "factor": 2.0, "partial_rotary_factor": 0.5}})",
     {0.5F, 0.05F, 0.0F, 0.0F},
     1.0},
};

TEST(Rope, FrequenciesAreTheOriginals) {
  for (const RopeCase& test : kRopeCases) {
    const Rope rope = Rope::read(Config::parse(test.keys, "config.json"), test.head_width, 64);
    const std::vector<float> frequencies = inverse_frequencies(rope, test.tokens);
    ASSERT_EQ(frequencies.size(), test.frequencies.size()) << test.name;
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      EXPECT_NEAR(frequencies[i], test.frequencies[i], 1e-6 * test.frequencies[i]) << test.name << " " << i;
    }
    EXPECT_NEAR(rope.attention_scaling, test.scaling, 1e-12) << test.name;
  }
}

}  // namespace
}  // namespace nongemm
