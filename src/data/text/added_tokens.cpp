#include "data/text/added_tokens.h"

#include <algorithm>

#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

/// Position of the last character of a text that is not empty.
std::size_t last_character(std::string_view text) {
  std::size_t position = text.size() - 1;
  while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) --position;
  return position;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t position = last_character(text);
  return is_word_character(next_code_point(text, position));
}

bool starts_with_word(std::string_view text) {
  std::size_t position = 0;
  return !text.empty() && is_word_character(next_code_point(text, position));
}

std::size_t without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    const std::size_t last = last_character(text);
    std::size_t position = last;
    if (!is_whitespace(next_code_point(text, position))) break;
    text = text.substr(0, last);
  }
  return text.size();
}

std::size_t leading_space(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    if (!is_whitespace(next_code_point(text, position))) return begin;
  }
  return text.size();
}

std::size_t first_byte(const AddedToken& token) { return static_cast<unsigned char>(token.content[0]); }

}  // namespace

void AddedTokens::sort() {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    return first_byte(a) != first_byte(b) ? first_byte(a) < first_byte(b) : a.content.size() > b.content.size();
  });
  for (const AddedToken& token : tokens_) ++starts_[first_byte(token) + 1];
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
}

const AddedToken* AddedTokens::match_at(std::string_view rest) const {
  const auto byte = static_cast<unsigned char>(rest[0]);
  for (std::size_t i = starts_[byte]; i < starts_[byte + std::size_t{1}]; ++i) {
    if (rest.starts_with(tokens_[i].content)) return &tokens_[i];
  }
  return nullptr;
}

void AddedTokens::split(std::string_view text, const std::function<void(TokenId)>& on_token,
                        const std::function<void(std::string_view text, std::size_t offset)>& on_text) const {
  std::size_t done = 0;
  for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
    const AddedToken* token = match_at(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + token->content.size();
    at = end;
    if (token->single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
    // Whitespace that an earlier token took is gone.
    if (token->lstrip) begin = std::max(without_trailing_space(text.substr(0, begin)), done);
    if (token->rstrip) end += leading_space(text.substr(end));
    if (done < begin) on_text(text.substr(done, begin - done), done);
    on_token(token->id);
    done = end;
    // The search goes on behind the token itself, as in the library: a match inside the whitespace still counts.
  }
  if (done < text.size()) on_text(text.substr(done), done);
}

}  // namespace nongemm::data
