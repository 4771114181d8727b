#include "data/text/tokenizer.h"

#include <algorithm>
#include <utility>

namespace nongemm::data {

Tokenizer::Tokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
  std::vector<AddedToken> raw, normalized;
  for (AddedToken& token : parts_.added_tokens) {
    id_limit_ = std::max(id_limit_, token.id + 1);
    if (token.normalized && parts_.normalizer) token.content = parts_.normalizer->normalize(token.content);
    (token.normalized ? normalized : raw).push_back(token);
  }
  for (const auto& [token, id] : parts_.model->vocabulary()) id_limit_ = std::max(id_limit_, id + 1);
  raw_tokens_ = AddedTokens(std::move(raw));
  normalized_tokens_ = AddedTokens(std::move(normalized));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, bool with_special_tokens) {
  std::vector<TokenId> ids;
  if (with_special_tokens) ids = parts_.prefix;
  raw_tokens_.split(
      text, [&](TokenId id) { ids.push_back(id); },
      [&](std::string_view part, std::size_t offset) { encode_text(part, offset, ids); });
  if (with_special_tokens) ids.insert(ids.end(), parts_.suffix.begin(), parts_.suffix.end());
  return ids;
}

void Tokenizer::encode_text(std::string_view text, std::size_t offset, std::vector<TokenId>& ids) {
  std::string normalized;
  if (parts_.normalizer) {
    normalized = parts_.normalizer->normalize(text);
    text = normalized;
  }
  const PieceSink to_model = [&](const Piece& piece) { parts_.model->tokenize(piece.text, ids); };
  normalized_tokens_.split(
      text, [&](TokenId id) { ids.push_back(id); },
      [&](std::string_view part, std::size_t part_offset) {
        const Piece piece = {part, offset == 0 && part_offset == 0};
        parts_.pre_tokenizer ? parts_.pre_tokenizer->split(piece, to_model) : to_model(piece);
      });
}

}  // namespace nongemm::data
