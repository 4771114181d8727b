#include "data/text/detokenizer.h"

#include <charconv>

#include "data/text/pre_tokenizer.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

constexpr std::string_view kByteLevelSpace = "\u0120";
constexpr std::string_view kPieceSpace = "\u2581";
constexpr std::string_view kReplacement = "\uFFFD";

/// "<0x0A>": a byte.
bool read_byte(std::string_view token, std::string& text) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return false;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  if (error != std::errc() || end != token.data() + 5) return false;
  text += static_cast<char>(value);
  return true;
}

std::string with_spaces(std::string_view token) {
  std::string text;
  for (std::size_t at = 0; at < token.size();) {
    if (token.substr(at).starts_with(kPieceSpace)) {
      text += ' ';
      at += kPieceSpace.size();
    } else {
      text += token[at++];
    }
  }
  return text;
}

}  // namespace

Detokenizer::Detokenizer(const Tokenizer& tokenizer) {
  for (const auto& [token, id] : tokenizer.parts().model->vocabulary()) {
    if (token.find(kByteLevelSpace) != std::string::npos) kind_ = Kind::kByteLevel;
    if (kind_ == Kind::kWordPiece && token.find(kPieceSpace) != std::string::npos) kind_ = Kind::kSentencePiece;
    tokens_.emplace(id, token);
  }
  for (const AddedToken& token : tokenizer.parts().added_tokens) added_.emplace(token.id, token.content);
  if (kind_ != Kind::kByteLevel) return;
  const auto characters = byte_characters();
  for (std::size_t byte = 0; byte < characters.size(); ++byte) {
    std::size_t position = 0;
    bytes_.emplace(next_code_point(characters[byte], position), static_cast<char>(byte));
  }
}

std::string Detokenizer::bytes_of(const std::string& token, bool first) const {
  std::string text;
  if (kind_ == Kind::kWordPiece) {
    if (token.starts_with("##")) return token.substr(2);
    return first ? token : " " + token;
  }
  if (kind_ == Kind::kSentencePiece) return read_byte(token, text) ? text : with_spaces(token);
  for (std::size_t position = 0; position < token.size();) {
    const std::size_t begin = position;
    const auto byte = bytes_.find(next_code_point(token, position));
    if (byte != bytes_.end()) {
      text += byte->second;
    } else {
      text += token.substr(begin, position - begin);
    }
  }
  return text;
}

std::string Detokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text;
  for (const std::int64_t id : ids) {
    const auto added = added_.find(id);
    const auto token = tokens_.find(id);
    if (added != added_.end()) {
      text += added->second;
    } else if (token != tokens_.end()) {
      text += bytes_of(token->second, text.empty());
    } else {
      text += kReplacement;
    }
  }
  std::size_t replaced = 0;
  return sanitize_utf8(text, replaced);
}

}  // namespace nongemm::data
