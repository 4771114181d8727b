// Damaged and hostile tokenizer files: a clear Error, nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "data/test_data.h"
#include "data/text/tokenizer.h"

namespace nongemm::data {
namespace {

using ::testing::HasSubstr;

using Files = std::vector<std::pair<std::string, std::string>>;

std::string message_of(const Files& files) {
  const TemporaryFolder folder;
  for (const auto& [name, content] : files) write_file_atomically(folder.path() / name, content);
  try {
    open_tokenizer(folder.path())->encode("Some text, with words. \xE4\xBD\xA0\xE5\xA5\xBD");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string json_message(const std::string& content) { return message_of({{"tokenizer.json", content}}); }

std::string with_model(const std::string& model) { return json_message(R"({"model": )" + model + "}"); }

TEST(TokenizerFiles, NameWhatIsMissing) {
  EXPECT_THAT(message_of({}), HasSubstr("no tokenizer"));
  EXPECT_THAT(json_message(""), HasSubstr("tokenizer.json is not valid JSON"));
  EXPECT_THAT(json_message("[1]"), HasSubstr("tokenizer.json: not a JSON object"));
  EXPECT_THAT(json_message("{}"), HasSubstr("key 'model' is missing"));
  EXPECT_THAT(json_message("{\"a\": \"\xFF\"}"), HasSubstr("is not valid JSON"));
}

TEST(TokenizerFiles, NameWhatIsWrongInTheModel) {
  EXPECT_THAT(with_model("3"), HasSubstr("key 'model' is not an object"));
  EXPECT_THAT(with_model(R"({"type": "Unigram", "vocab": []})"), HasSubstr("model 'Unigram' is not supported"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "merges": []})"), HasSubstr("key 'model.vocab' is missing"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {"a": -1}, "merges": []})"), HasSubstr("holds an id"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {"a": 1e300}, "merges": []})"), HasSubstr("holds an id"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]})"), HasSubstr("no pair: \"a\""));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": [[1, 2]]})"), HasSubstr("no pair: [1,2]"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]})"),
              HasSubstr("tokenizer.json: merge 1 ('a' and 'a') needs 'aa'"));
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {}, "merges": [], "unk_token": "u"})"),
              HasSubstr("unknown token 'u' is not in the vocabulary"));
  EXPECT_THAT(with_model(R"({"type": "WordPiece", "vocab": {}})"), HasSubstr("unknown token '[UNK]'"));
  EXPECT_EQ(with_model(R"({"type": "BPE", "vocab": {}, "merges": []})"), "no error");
}

TEST(TokenizerFiles, NameUnknownSteps) {
  const std::string model = R"("model": {"type": "BPE", "vocab": {}, "merges": []})";
  const auto with = [&](const std::string& more) { return json_message("{" + model + ", " + more + "}"); };
  EXPECT_THAT(with(R"("normalizer": {"type": "Nmt"})"), HasSubstr("normalizer 'Nmt' is not supported"));
  EXPECT_THAT(with(R"("pre_tokenizer": {"type": "Magic"})"), HasSubstr("pre-tokenizer 'Magic' is not supported"));
  EXPECT_THAT(with(R"("post_processor": {"type": "Magic"})"), HasSubstr("post-processor 'Magic' is not supported"));
  EXPECT_THAT(with(R"("pre_tokenizer": {"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(("}})"),
              HasSubstr("key 'pre_tokenizer.pattern'"));
  EXPECT_THAT(with(R"("post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}]})"),
              HasSubstr("key 'post_processor.special_tokens.x' is missing"));
  EXPECT_THAT(with(R"("added_tokens": [{"content": "x"}])"), HasSubstr("key 'added_tokens[0].id' is missing"));
  std::string nested = R"({"type": "BertPreTokenizer"})";
  for (int i = 0; i < 100; ++i) nested = R"({"type": "Sequence", "pretokenizers": [)" + nested + "]}";
  EXPECT_THAT(with("\"pre_tokenizer\": " + nested), HasSubstr("nested too deeply"));
}

TEST(TokenizerFiles, CannotAskForEndlessWork) {
  const std::string model = R"("model": {"type": "BPE", "vocab": {}, "merges": []})";
  const auto with = [&](const std::string& more) { return json_message("{" + model + ", " + more + "}"); };
  const auto repeated = [](const std::string& step, int times) {
    std::string steps = step;
    for (int i = 1; i < times; ++i) steps += ", " + step;
    return steps;
  };
  const std::string brackets(1'000'000, '[');
  EXPECT_THAT(with_model(R"({"type": "BPE", "vocab": {}, "merges": [)" + brackets), HasSubstr("nested more than"));

  const std::string growing = R"({"type": "Replace", "pattern": {"String": "e"}, "content": "eeeeeeeeeeeeeeee"})";
  EXPECT_THAT(with(R"("normalizer": {"type": "Sequence", "normalizers": [)" + repeated(growing, 60) + "]}"),
              HasSubstr("far longer"));
  EXPECT_THAT(with(R"("normalizer": {"type": "Sequence", "normalizers": [)" + repeated(growing, 65) + "]}"),
              HasSubstr("more than 64 steps"));
  EXPECT_THAT(with(R"("normalizer": {"type": "Prepend", "prepend": ")" + std::string(17, 'x') + "\"}"),
              HasSubstr("more than 16 bytes"));
  EXPECT_THAT(with(R"("pre_tokenizer": {"type": "Metaspace", "replacement": "  "})"), HasSubstr("one character"));
  // One piece of 2000 bytes: field 1 of the model with field 1, the text, in it.
  const std::string piece = "\x0A\xD3\x0F\x0A\xD0\x0F" + std::string(2000, 'x');
  EXPECT_THAT(message_of({{"tokenizer.model", piece + "\x12\x02\x18\x02"}}), HasSubstr("piece 0 has 2000 bytes"));
}

TEST(TokenizerFiles, NameTheLineOfOldFiles) {
  EXPECT_THAT(message_of({{"vocab.json", "{\"a\": 0}"}, {"merges.txt", "#version: 0.2\na\n"}}),
              HasSubstr("merges.txt: line 2 is no pair of tokens"));
  EXPECT_THAT(message_of({{"vocab.json", "[]"}, {"merges.txt", ""}}), HasSubstr("vocab.json: not a JSON object"));
  EXPECT_THAT(message_of({{"vocab.txt", "a\nb\n"}}), HasSubstr("vocab.txt: the unknown token '[UNK]'"));
  EXPECT_THAT(message_of({{"vocab.txt", "[UNK]\n\xFF\n"}}), HasSubstr("vocab.txt: not UTF-8"));
  EXPECT_THAT(message_of({{"vocab.txt", "[UNK]\n"}, {"tokenizer_config.json", "{\"do_lower_case\": 3}"}}),
              HasSubstr("tokenizer_config.json: key 'do_lower_case' is not true or false"));
  EXPECT_THAT(message_of({{"tokenizer.model", "no protobuf"}}), HasSubstr("tokenizer.model: no SentencePiece model"));
  EXPECT_THAT(message_of({{"tokenizer.model", ""}}), HasSubstr("tokenizer.model: no SentencePiece model"));
}

TEST(TokenizerFiles, DamagedBytesNeverCrash) {
  for (const char* name : {"llama/tokenizer.model", "llama2_json/tokenizer.json"}) {
    const std::string bytes = read_fixture(std::string("tokenizers/") + name);
    const std::string file = std::filesystem::path(name).filename().string();
    for (std::size_t i = 0; i < 60; ++i) {
      std::string damaged = bytes;
      damaged[i * 7919 % bytes.size()] ^= static_cast<char>(1 << (i % 8));
      EXPECT_FALSE(message_of({{file, damaged}}).empty());
      EXPECT_FALSE(message_of({{file, bytes.substr(0, i * 7919 % bytes.size())}}).empty());
    }
  }
}

}  // namespace
}  // namespace nongemm::data
