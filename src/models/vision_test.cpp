// The torchvision and segmentation models: sizes of the named rows, and options and configurations that are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/architectures.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

TEST(Vision, NamedModelsHaveTheirKnownSizes) {
  for (const char* name : {"vit-b", "vit-l", "vit-h", "swin-t", "swin-s", "swin-b", "segformer", "segformer-b1",
                           "segformer-b2", "segformer-b3", "segformer-b4", "segformer-b5", "maskformer"}) {
    const Model model = find_model(name);
    EXPECT_EQ(parameter_count(build_graph(model, {})), model.row->parameters) << name;
  }
}

TEST(Segformer, RefusesWhatItCannotBuild) {
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"depths": [1, 1]})"); }), HasSubstr("depths"));
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"hidden_act": "gelau"})"); }), HasSubstr("gelu"));
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"sr_ratios": [8, 4, 2, 0]})"); }),
              HasSubstr("sr_ratios"));
}

TEST(MaskFormer, RefusesWhatTheOriginalDoesNotHave) {
  const auto& architecture = maskformer_architecture();
  EXPECT_THAT(refusal([&] { build(architecture, R"({"backbone_config": {"model_type": "convnext"}})"); }),
              HasSubstr("convnext"));
  EXPECT_THAT(refusal([&] {
                build(architecture, R"({"backbone_config": {"model_type": "swin", "use_absolute_embeddings": true}})");
              }),
              HasSubstr("use_absolute_embeddings"));
  EXPECT_THAT(refusal([&] { build(architecture, R"({"use_auxiliary_loss": true})"); }),
              HasSubstr("use_auxiliary_loss"));
  EXPECT_THAT(refusal([&] { build(architecture, R"({"fpn_feature_size": 100})"); }), HasSubstr("fpn_feature_size"));
  EXPECT_THAT(refusal([&] { build(architecture, R"({"decoder_config": {"decoder_attention_heads": 7}})"); }),
              HasSubstr("decoder_attention_heads"));
}

TEST(Vit, TakesTheFastPathForAnEvenNumberOfHeadsOnly) {
  constexpr const char* kEven = R"({"image_size": 16, "patch_size": 8, "num_layers": 1, "num_heads": 2,
                                    "hidden_dim": 12, "mlp_dim": 8})";
  constexpr const char* kOdd = R"({"image_size": 16, "patch_size": 8, "num_layers": 1, "num_heads": 3,
                                   "hidden_dim": 12, "mlp_dim": 8})";
  ModelOptions sdpa;
  sdpa.attention = Attention::kSdpa;
  EXPECT_EQ(build(vit_architecture(), kEven).attributes.at("attention"), "fast path");
  EXPECT_EQ(build(vit_architecture(), kOdd).attributes.at("attention"), "sdpa");
  EXPECT_EQ(build(vit_architecture(), kEven, sdpa).attributes.at("attention"), "sdpa");
}

TEST(Vit, RefusesWhatTheOriginalDoesNotHave) {
  ModelOptions eager;
  eager.attention = Attention::kEager;
  EXPECT_THAT(refusal([&] { build_graph(find_model("vit-b"), eager); }), HasSubstr("eager"));
  ModelOptions larger;
  larger.height = 256;
  EXPECT_THAT(refusal([&] { build_graph(find_model("vit-b"), larger); }), HasSubstr("224"));
  EXPECT_THAT(refusal([&] { build(vit_architecture(), "{}"); }), HasSubstr("image_size"));
  EXPECT_THAT(refusal([&] {
                build(vit_architecture(), R"({"image_size": 16, "patch_size": 5, "num_layers": 1, "num_heads": 2,
                                              "hidden_dim": 12, "mlp_dim": 8})");
              }),
              HasSubstr("patch_size"));
}

TEST(Swin, RefusesWhatTheOriginalDoesNotHave) {
  ModelOptions sdpa;
  sdpa.attention = Attention::kSdpa;
  EXPECT_THAT(refusal([&] { build_graph(find_model("swin-t"), sdpa); }), HasSubstr("sdpa"));
  ModelOptions tiny;
  tiny.height = 3;
  EXPECT_THAT(refusal([&] { build_graph(find_model("swin-t"), tiny); }), HasSubstr("patch"));
  EXPECT_THAT(refusal([&] {
                build(swin_architecture(), R"({"patch_size": [4, 4], "embed_dim": 8, "depths": [1, 1],
                                               "num_heads": [3, 2], "window_size": [7, 7]})");
              }),
              HasSubstr("num_heads"));
  EXPECT_THAT(refusal([&] {
                build(swin_architecture(), R"({"patch_size": [4, 4], "embed_dim": 8, "depths": [1],
                                               "num_heads": [2], "window_size": [0, 7]})");
              }),
              HasSubstr("window_size"));
}

}  // namespace
}  // namespace nongemm
