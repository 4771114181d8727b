#include "prepare/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

TEST(BuildGraph, AttentionIsChosenWhereTheOriginalHasTwoKinds) {
  EXPECT_EQ(build_graph(find_model("gpt2"), {.sequence = 8, .attention = Attention::kEager}).attributes.at("attention"),
            "eager");
  for (const Attention attention : {Attention::kSdpa, Attention::kEager}) {
    try {
      build_graph(find_model("resnet50"), {.attention = attention});
      ADD_FAILURE() << "nothing was refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), testing::HasSubstr("resnet50: no attention of two kinds"));
    }
  }
}

}  // namespace
}  // namespace nongemm
