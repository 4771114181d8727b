#include "data/text/tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/test_data.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

/// tests/reference/data_tokenizers.py made the folders and the expected ids.
class TokenizerOfCheckpoint : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerOfCheckpoint, GivesTheIdsOfTheOriginal) {
  const std::string folder = std::string("tokenizers/") + GetParam();
  const auto tokenizer = open_tokenizer(fixture(folder));
  const auto texts = nlohmann::json::parse(read_fixture(folder + "/texts.json"));
  ASSERT_GT(texts.size(), 50u);
  for (const auto& pair : texts) {
    const auto text = pair[0].get<std::string>();
    EXPECT_EQ(tokenizer->encode(text), pair[1].get<std::vector<TokenId>>()) << text;
    EXPECT_EQ(tokenizer->encode(text), pair[1].get<std::vector<TokenId>>()) << "from the cache: " << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerOfCheckpoint,
                         testing::Values("gpt2", "llama3", "bert", "bert_json", "llama", "llama2_json"),
                         [](const auto& param_info) { return param_info.param; });

TEST(Tokenizer, SpecialTokensAreOptional) {
  const auto tokenizer = open_tokenizer(fixture("tokenizers/bert"));
  const auto with = tokenizer->encode("hello");
  const auto without = tokenizer->encode("hello", false);
  ASSERT_EQ(with.size(), without.size() + 2);
  EXPECT_EQ(with.front(), tokenizer->prefix().at(0));
  EXPECT_EQ(with.back(), tokenizer->suffix().at(0));
}

TEST(Tokenizer, LongTextsWithoutSpacesTakeNoQuadraticTime) {
  for (const char* name : {"gpt2", "llama", "llama3", "bert"}) {
    const auto tokenizer = open_tokenizer(fixture(std::string("tokenizers/") + name));
    const auto ids = tokenizer->encode(std::string(1 << 20, 'a'));
    EXPECT_FALSE(ids.empty());
    for (TokenId id : ids) ASSERT_LT(id, tokenizer->id_limit());
  }
}

TEST(Tokenizer, ReplacedBytesAreTokenisedAsTheReplacementCharacter) {
  const auto tokenizer = open_tokenizer(fixture("tokenizers/gpt2"));
  std::size_t replaced = 0;
  const std::string text = sanitize_utf8("a\xFF\xC3(", replaced);
  EXPECT_EQ(replaced, 2u);
  EXPECT_EQ(tokenizer->encode(text), tokenizer->encode("a\xEF\xBF\xBD\xEF\xBF\xBD("));
}

}  // namespace
}  // namespace nongemm::data
