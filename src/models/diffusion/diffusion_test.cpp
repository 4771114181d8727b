// Denoisers: sizes of the named rows, shapes that the user gives, and configurations that are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/architectures.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Diffusion, NamedModelsHaveTheirKnownSizes) {
  for (const char* name : {"sd15-unet", "sdxl-unet", "flux-schnell", "flux-dev"}) {
    const Model model = find_model(name);
    EXPECT_EQ(parameter_count(build_graph(model, {})), model.row->parameters) << name;
  }
}

Shape input_of(const Graph& graph, const std::string& name) {
  for (const Input& input : graph.inputs) {
    if (input.name == name) return graph.values[input.value].type.shape;
  }
  return {};
}

TEST(UNet, TakesTheShapesThatTheUserGives) {
  ModelOptions options;
  options.batch = 2;
  options.inputs = {{"sample", {2, 4, 24, 32}, {}}, {"encoder_hidden_states", {2, 12, 768}, {}}};
  const Graph graph = build_graph(find_model("sd15-unet"), options);
  EXPECT_EQ(input_of(graph, "sample"), (Shape{2, 4, 24, 32}));
  EXPECT_EQ(input_of(graph, "encoder_hidden_states"), (Shape{2, 12, 768}));
  EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{2, 4, 24, 32}));
  const Graph usual = build_graph(find_model("sd15-unet"), {});
  EXPECT_EQ(input_of(usual, "sample"), (Shape{1, 4, 64, 64}));
  EXPECT_EQ(input_of(usual, "encoder_hidden_states"), (Shape{1, 77, 768}));
  options.inputs = {{"sample", {2, 3, 24, 32}, {}}};
  EXPECT_THAT(refusal([&] { build_graph(find_model("sd15-unet"), options); }),
              AllOf(HasSubstr("[2, 3, 24, 32]"), HasSubstr("[2, 4, ?, ?]")));
  options.inputs = {{"samples", {2, 4, 24, 32}, {}}};
  EXPECT_THAT(refusal([&] { build_graph(find_model("sd15-unet"), options); }), HasSubstr("did you mean 'sample'"));
}

TEST(UNet, RefusesWhatItCannotBuild) {
  const auto message = [](const char* config) { return refusal([&] { build(unet_architecture(), config); }); };
  EXPECT_THAT(message(R"({"block_out_channels": []})"), HasSubstr("block_out_channels"));
  EXPECT_THAT(message(R"({"block_out_channels": [320, 640, 1280, 1290]})"), HasSubstr("norm_num_groups"));
  EXPECT_THAT(message(R"({"layers_per_block": [1, 2]})"), HasSubstr("layers_per_block"));
  EXPECT_THAT(message(R"({"attention_head_dim": 7})"), HasSubstr("attention_head_dim"));
  EXPECT_THAT(message(R"({"down_block_types": ["DownBlock2D", "DownBlock2D", "DownBlock2D", "KDownBlock2D"]})"),
              AllOf(HasSubstr("KDownBlock2D"), HasSubstr("CrossAttnDownBlock2D")));
  EXPECT_THAT(message(R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})"), HasSubstr("mid_block_type"));
  EXPECT_THAT(message(R"({"class_embed_type": "timestep"})"), HasSubstr("class_embed_type"));
  EXPECT_THAT(message(R"({"addition_embed_type": "image"})"), HasSubstr("addition_embed_type"));
  EXPECT_THAT(message(R"({"addition_embed_type": "text_time", "addition_time_embed_dim": 256,
                          "projection_class_embeddings_input_dim": 1536})"),
              HasSubstr("projection_class_embeddings_input_dim"));
  EXPECT_THAT(message(R"({"act_fn": "sulu"})"), HasSubstr("silu"));
  EXPECT_THAT(message(R"({"transformer_layers_per_block": 1000000000})"), HasSubstr("transformer_layers_per_block"));
}

TEST(Flux, RefusesWhatItCannotBuild) {
  const auto message = [](const char* config) { return refusal([&] { build(flux_architecture(), config); }); };
  EXPECT_THAT(message(R"({"axes_dims_rope": [16, 56, 55]})"), HasSubstr("axes_dims_rope"));
  EXPECT_THAT(message(R"({"axes_dims_rope": [16, 56]})"), HasSubstr("attention_head_dim"));
  EXPECT_THAT(message(R"({"num_layers": 1000000000})"), HasSubstr("num_layers"));
}

}  // namespace
}  // namespace nongemm
