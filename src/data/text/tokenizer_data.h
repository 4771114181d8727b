// Between the readers of tokenizer files and the rules of the tokenizer classes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_object.h"
#include "data/text/tokenizer.h"

namespace nongemm::data {

constexpr std::size_t kMaxTokenizerBytes = 256 << 20;
constexpr std::size_t kMaxTokenizerConfigBytes = 16 << 20;

/// What the files hold, before the class has its say.
struct TokenizerData {
  enum class Kind { kBpe, kWordPiece };

  std::string source;  // the file, for messages
  Kind kind = Kind::kBpe;
  Vocabulary vocabulary;
  Merges merges;
  BpeOptions bpe;
  WordPieceOptions word_piece;
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::vector<TokenId> prefix;
  std::vector<TokenId> suffix;
  bool has_template = false;  // prefix and suffix come from the file
};

TokenizerData read_tokenizer_json(const std::filesystem::path& path);
/// GPT-2: vocab.json and merges.txt.
TokenizerData read_gpt2_files(const std::filesystem::path& vocabulary, const std::filesystem::path& merges);
/// BERT: one token a line.
TokenizerData read_vocab_txt(const std::filesystem::path& path);
/// Llama: a SentencePiece model of type BPE.
TokenizerData read_sentencepiece(const std::filesystem::path& path);

/// The vocabulary object of tokenizer.json or vocab.json: ids by token.
Vocabulary read_vocabulary(const JsonObject& config, std::string_view key, const nlohmann::json& values);
/// One added token; the id is its own unless the object holds one.
AddedToken read_added_token(const JsonObject& config);

std::unique_ptr<Normalizer> read_normalizer(const JsonObject& config, int depth = 0);
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonObject& config, int depth = 0);

/// Throws Error(kUnsupported): "FILE: KIND 'TYPE' is not supported".
[[noreturn]] void refuse_type(const JsonObject& config, std::string_view kind, std::string_view type);

/// Nested sequences deeper than this are refused.
constexpr int kMaxDepth = 8;

}  // namespace nongemm::data
