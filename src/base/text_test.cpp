#include "base/text.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

TEST(Text, NearNamesAreOffered) {
  EXPECT_EQ(did_you_mean("gpt3", {"gpt2", "bert", "swin-t"}), "did you mean 'gpt2'?");
  EXPECT_EQ(did_you_mean("resnet", {"gpt2", "bert"}), "known: gpt2, bert");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(Text, ShellWordsAreQuotedWhereTheyNeedIt) {
  EXPECT_EQ(shell_word("out/report.json"), "out/report.json");
  EXPECT_EQ(shell_word("my images"), "'my images'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$(rm)"), "'$(rm)'");
}

TEST(MatchesGlob, StarsTakeAnything) {
  EXPECT_TRUE(matches_glob("*.attn.bias", "h.0.attn.bias"));
  EXPECT_TRUE(matches_glob("*.attn.bias", "transformer.h.11.attn.bias"));
  EXPECT_FALSE(matches_glob("*.attn.bias", "h.0.attn.c_attn.bias"));
  EXPECT_FALSE(matches_glob("*.attn.bias", "h.0.attn.bias.x"));
  EXPECT_TRUE(matches_glob("cls.*", "cls.predictions.bias"));
  EXPECT_TRUE(matches_glob("a*b*c", "a.b.b.c"));
  EXPECT_FALSE(matches_glob("a*b*c", "a.c.b"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("exact", "exact"));
  EXPECT_FALSE(matches_glob("", "x"));
  EXPECT_FALSE(matches_glob("*a*a*a*a*a*a*a*a*b", std::string(4000, 'a')));
}

}  // namespace
}  // namespace nongemm
