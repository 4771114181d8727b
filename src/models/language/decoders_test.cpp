// The decoders built of parts: what their configurations decide, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "models/architectures.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

constexpr const char* kTiny = R"("vocab_size": 7, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 4,
                                 "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
                                 "max_position_embeddings": 32)";

Graph tiny(const Architecture& architecture, const std::string& more = "", const ModelOptions& options = {}) {
  return build(architecture, std::string("{") + kTiny + more + "}", options);
}

std::string message(const Architecture& architecture, const std::string& more, const ModelOptions& options = {}) {
  return refusal([&] { tiny(architecture, ", " + more, options); });
}

std::size_t count(const Graph& graph, std::string_view op) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == op; }));
}

TEST(Decoders, RefuseWhatTheyCannotBuild) {
  EXPECT_THAT(message(mixtral_architecture(), R"("num_experts_per_tok": 9)"), HasSubstr("more than the 8 experts"));
  EXPECT_THAT(message(mixtral_architecture(), R"("num_local_experts": 1000000)"), HasSubstr("num_local_experts"));
  EXPECT_THAT(message(qwen3_moe_architecture(), R"("decoder_sparse_step": 0)"), HasSubstr("decoder_sparse_step"));
  EXPECT_THAT(message(gpt_oss_architecture(), R"("sliding_window": null)"), HasSubstr("sliding_window"));
  EXPECT_THAT(message(gpt_oss_architecture(), R"("layer_types": ["full_attention"])"),
              HasSubstr("1 entries for 4 layers"));
  EXPECT_THAT(message(qwen3_architecture(), R"("layer_types": ["full_attention", "a", "b", "c"])"), HasSubstr("'a'"));
  EXPECT_THAT(message(qwen2_architecture(), R"("rope_parameters": {"rope_type": "spiral"})"), HasSubstr("'spiral'"));
  EXPECT_THAT(message(phi3_architecture(), R"("rope_scaling": {"type": "linear", "factor": 2})"),
              HasSubstr("default and longrope"));
  EXPECT_THAT(message(gemma3_architecture(), R"("rope_parameters": {"full_attention": {"rope_type": "spiral"}})"),
              HasSubstr("'spiral'"));
  EXPECT_THAT(message(gpt_oss_architecture(), R"("pad_token_id": null)", {.attention = Attention::kSdpa}),
              HasSubstr("sinks"));
}

/// Masks are only built for layers with a window that is shorter than the prompt; a mask has one `gt` for its window.
TEST(Decoders, WindowsShorterThanThePromptGetMasks) {
  const auto masks = [](const Architecture& architecture, const std::string& more, std::int64_t tokens) {
    return count(tiny(architecture, more, {.sequence = tokens}), "aten.gt.Tensor");
  };
  const std::string window = R"(, "sliding_window": 5)";
  EXPECT_EQ(masks(mistral_architecture(), window, 4), 0U);
  EXPECT_EQ(masks(mistral_architecture(), window, 5), 1U);
  EXPECT_EQ(masks(mistral_architecture(), R"(, "sliding_window": null)", 32), 0U);
  EXPECT_EQ(masks(qwen2_architecture(), window, 8), 0U) << "use_sliding_window is off";
  EXPECT_EQ(masks(qwen2_architecture(), window + R"(, "use_sliding_window": true, "max_window_layers": 2)", 8), 1U);
}

TEST(Decoders, ExpertsStandWhereTheConfigurationSaysSo) {
  const auto products = [](const std::string& more) {
    return count(tiny(qwen3_moe_architecture(), R"(, "num_experts": 4, "num_experts_per_tok": 2)" + more),
                 "aten._grouped_mm.default");
  };
  EXPECT_EQ(products(""), 8U);
  EXPECT_EQ(products(R"(, "decoder_sparse_step": 2)"), 4U);
  EXPECT_EQ(products(R"(, "mlp_only_layers": [0, 3])"), 4U);
}

/// Histograms count fractions on the host, whole numbers on devices.
TEST(Decoders, ExpertsAreCountedAsTheDeviceCan) {
  const auto counted = [](DeviceKind device) {
    const Graph graph = tiny(mixtral_architecture(), "", {.device = device});
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [](const Node& each) { return each.op == "aten.histc.default"; });
    return graph.values[node->outputs.at(0)].type.dtype;
  };
  EXPECT_EQ(counted(DeviceKind::kHost), DType::kFloat32);
  EXPECT_EQ(counted(DeviceKind::kCuda), DType::kInt32);
}

}  // namespace
}  // namespace nongemm
