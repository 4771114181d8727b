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

}  // namespace
}  // namespace nongemm
