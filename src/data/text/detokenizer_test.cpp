#include "data/text/detokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/test_data.h"

namespace nongemm::data {
namespace {

std::vector<std::int64_t> encoded(Tokenizer& tokenizer, const std::string& text) {
  const std::vector<TokenId> ids = tokenizer.encode(text, /*with_special_tokens=*/false);
  return {ids.begin(), ids.end()};
}

TEST(Detokenizer, GivesBackEveryByteOfAByteLevelVocabulary) {
  for (const char* name : {"gpt2", "llama3"}) {
    const auto tokenizer = open_tokenizer(fixture(std::string("tokenizers/") + name));
    const Detokenizer detokenizer(*tokenizer);
    for (const std::string text : {"Hello, world", "  two\n\nlines\t", "na\u00efve \u6f22\u5b57 \U0001F600", ""}) {
      EXPECT_EQ(detokenizer.decode(encoded(*tokenizer, text)), text) << name;
    }
  }
}

TEST(Detokenizer, GivesBackSpacesAndBytesOfPieces) {
  const auto tokenizer = open_tokenizer(fixture("tokenizers/llama"));
  const Detokenizer detokenizer(*tokenizer);
  EXPECT_EQ(detokenizer.decode(encoded(*tokenizer, "two words \U0001F600")), " two words \U0001F600");
}

TEST(Detokenizer, PutsWordsSideBySide) {
  const auto tokenizer = open_tokenizer(fixture("tokenizers/bert"));
  EXPECT_EQ(Detokenizer(*tokenizer).decode(encoded(*tokenizer, "hello")), "hello");
}

TEST(Detokenizer, SaysWhichIdsAreNone) {
  const auto tokenizer = open_tokenizer(fixture("tokenizers/gpt2"));
  const std::vector<std::int64_t> ids = {-1, 1'000'000'000};
  EXPECT_EQ(Detokenizer(*tokenizer).decode(ids), "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace nongemm::data
