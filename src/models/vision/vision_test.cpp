// The torchvision and segmentation models: sizes of the named rows, and options and configurations that are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "models/architectures.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Segformer, RefusesWhatItCannotBuild) {
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"depths": [1, 1]})"); }), HasSubstr("depths"));
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"hidden_act": "gelau"})"); }), HasSubstr("gelu"));
  EXPECT_THAT(refusal([] { build(segformer_architecture(), R"({"sr_ratios": [8, 4, 2, 0]})"); }),
              HasSubstr("sr_ratios"));
}

TEST(Segformer, LabelsAreCountedAsTransformersDoes) {
  const auto classes = [](const char* config) {
    const Graph graph = build(segformer_architecture(), config);
    return graph.values[graph.outputs.at(0).value].type.shape.at(1);
  };
  EXPECT_EQ(classes("{}"), 2);
  EXPECT_EQ(classes(R"({"id2label": {"0": "a", "1": "b", "2": "c"}})"), 3);
  EXPECT_EQ(classes(R"({"num_labels": 9})"), 9);
  EXPECT_EQ(classes(R"({"num_labels": 9, "id2label": {"0": "a", "1": "b", "2": "c"}})"), 9);
}

/// The kernels' dilation in the convolutions of a timm backbone, by the end of their scopes.
std::map<std::string, std::int64_t> dilations(const Graph& graph) {
  std::map<std::string, std::int64_t> found;
  for (const Node& node : graph.nodes) {
    if (node.op != "aten.conv2d.default") continue;
    const std::string scope = graph.scope_path(node.scope);
    const auto& dilation = std::get<std::vector<Int>>(node.args.at(5));
    if (const std::size_t stage = scope.find("layer"); stage != std::string::npos) {
      found[scope.substr(stage)] = dilation.at(0).value;
    }
  }
  return found;
}

TEST(Detr, DilatesTheBackboneAsTimmDoes) {
  // In the first block of a stage without its stride the convolution that had it keeps the dilation before.
  auto basic = dilations(build(detr_architecture(), R"({"backbone": "resnet18", "dilation": true})"));
  EXPECT_EQ(basic.at("layer3.1.conv2"), 1);
  EXPECT_EQ(basic.at("layer4.0.conv1"), 1);
  EXPECT_EQ(basic.at("layer4.0.conv2"), 2);
  EXPECT_EQ(basic.at("layer4.1.conv1"), 2);
  EXPECT_EQ(basic.at("layer4.1.conv2"), 2);
  auto bottleneck = dilations(build(detr_architecture(), R"({"backbone": "resnet50", "dilation": true})"));
  EXPECT_EQ(bottleneck.at("layer4.0.conv2"), 1);
  EXPECT_EQ(bottleneck.at("layer4.1.conv2"), 2);
}

TEST(Detr, BuildsNoStageThatNobodyAsksFor) {
  const auto with = [](const std::string& indices) {
    return dilations(build(detr_architecture(), R"({"backbone_config": {"model_type": "timm_backbone",
                                                    "backbone": "resnet18", "out_indices": )" +
                                                    indices + "}}"));
  };
  EXPECT_TRUE(with("[4]").contains("layer4.0.conv1"));
  EXPECT_TRUE(with("[-1]").contains("layer4.0.conv1"));
  EXPECT_TRUE(with("[0, 3]").contains("layer3.0.conv1"));
  EXPECT_FALSE(with("[0, 3]").contains("layer4.0.conv1"));
  EXPECT_TRUE(with("[0]").empty());
  EXPECT_THAT(refusal([&] { with("[5]"); }), HasSubstr("out_indices"));
  EXPECT_THAT(refusal([&] { with("[-6]"); }), HasSubstr("out_indices"));
  EXPECT_THAT(refusal([&] { with("[]"); }), HasSubstr("out_indices"));
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

TEST(ImageEncoders, TakeImagesOfTheirSizeAlone) {
  ModelOptions larger;
  larger.height = 256;
  for (const char* name : {"vit-base-hf", "clip-vit-b", "siglip-base"}) {
    EXPECT_THAT(refusal([&] { build_graph(find_model(name), larger); }),
                AllOf(HasSubstr("256 x 224"), HasSubstr("224 x 224 (image_size)")))
        << name;
  }
}

TEST(ImageEncoders, RefuseSizesThatCannotBe) {
  const auto message = [](const char* config) { return refusal([&] { build(hf_vit_architecture(), config); }); };
  EXPECT_THAT(message(R"({"num_attention_heads": 7})"), HasSubstr("num_attention_heads"));
  EXPECT_THAT(message(R"({"patch_size": 300})"), HasSubstr("patch_size"));
  EXPECT_THAT(message(R"({"image_size": [16, 16, 16]})"), HasSubstr("image_size"));
  EXPECT_THAT(message(R"({"hidden_act": "gelau"})"), HasSubstr("gelu"));
  EXPECT_THAT(message(R"({"architectures": ["ViTForMaskedImageModeling"]})"),
              AllOf(HasSubstr("ViTForMaskedImageModeling"), HasSubstr("ViTForImageClassification")));
}

/// Tokens of the first norm's input.
std::int64_t tokens_of(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.op == "aten.layer_norm.default") return graph.values[node.outputs.at(0)].type.shape.at(1);
  }
  return 0;
}

TEST(Dinov2, ResizesItsPositions) {
  EXPECT_EQ(tokens_of(build_graph(find_model("dinov2-small"), {})), 1 + 16 * 16);
  ModelOptions wide;
  wide.height = 28;
  wide.width = 75;  // the last five columns of pixels belong to no patch
  EXPECT_EQ(tokens_of(build_graph(find_model("dinov2-small"), wide)), 1 + 2 * 5);
  wide.height = 13;
  EXPECT_THAT(refusal([&] { build_graph(find_model("dinov2-small"), wide); }), HasSubstr("14"));
}

TEST(ConvNext, RefusesListsThatDoNotFit) {
  const auto message = [](const char* config) { return refusal([&] { build(convnext_architecture(), config); }); };
  EXPECT_THAT(message(R"({"depths": [1, 1]})"), HasSubstr("depths"));
  EXPECT_THAT(message(R"({"hidden_sizes": [1, 1]})"), HasSubstr("hidden_sizes"));
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
