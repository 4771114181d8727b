#include "weights/name_rules.h"

#include <gtest/gtest.h>

namespace nongemm::weights {
namespace {

TEST(RenamePiece, ReplacesTheFirstOccurrence) {
  EXPECT_EQ(rename_piece("a.LayerNorm.gamma", "LayerNorm.gamma", "LayerNorm.weight"), "a.LayerNorm.weight");
  EXPECT_EQ(rename_piece("x.y.x", "x", "z"), "z.y.x");
  EXPECT_EQ(rename_piece("x.y", "q", "z"), "x.y");
  EXPECT_EQ(rename_piece("", "q", "z"), "");
  EXPECT_EQ(rename_piece("backbone.model.layers", "^model.", ""), "backbone.model.layers");
  EXPECT_EQ(rename_piece("model.layers", "^model.", ""), "layers");
}

TEST(RenamePiece, CarriesOneComponentOver) {
  EXPECT_EQ(rename_piece("decoder.layers.12.fc1.weight", "layers.*.fc1", "layers.*.mlp.fc1"),
            "decoder.layers.12.mlp.fc1.weight");
  EXPECT_EQ(rename_piece("decoder.layers.12.mlp.fc1.weight", "layers.*.fc1", "layers.*.mlp.fc1"),
            "decoder.layers.12.mlp.fc1.weight");
  EXPECT_EQ(rename_piece("a.1.b.2.c", "a.*.b.*", "x.*.*"), "x.1.2.c");
  EXPECT_EQ(rename_piece("a.1", "a.*", "*.*"), "1.");
}

TEST(ApplyRenames, OneAfterTheOther) {
  CheckpointRules rules;
  rules.renames = {{"backbone.conv_encoder", "backbone"}, {"out_proj", "o_proj"}, {"layers.*.fc1", "layers.*.mlp.fc1"}};
  EXPECT_EQ(apply_renames("model.backbone.conv_encoder.model.conv1.weight", rules),
            "model.backbone.model.conv1.weight");
  EXPECT_EQ(apply_renames("model.encoder.layers.0.self_attn.out_proj.bias", rules),
            "model.encoder.layers.0.self_attn.o_proj.bias");
  EXPECT_EQ(apply_renames("bert.embeddings.LayerNorm.beta", rules), "bert.embeddings.LayerNorm.bias");
}

}  // namespace
}  // namespace nongemm::weights
