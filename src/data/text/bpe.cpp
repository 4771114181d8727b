#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <queue>

#include "base/error.h"
#include "data/text/token_model.h"
#include "data/text/unicode.h"
#include "data/text/word_cache.h"

namespace nongemm::data {
namespace {

struct Merge {
  std::int32_t rank;
  TokenId result;
};

/// Merges by their pair of tokens: open addressing, because every neighbouring pair of every text is looked up.
class MergeTable {
 public:
  void reserve(std::size_t count) { slots_.assign(std::bit_ceil(count * 2 + 1), Slot{}); }

  void set(TokenId left, TokenId right, Merge merge) { *slot(key_of(left, right)) = {key_of(left, right), merge}; }

  const Merge* find(TokenId left, TokenId right) const {
    const Slot* found = const_cast<MergeTable*>(this)->slot(key_of(left, right));
    return found->key == kEmpty ? nullptr : &found->merge;
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge = {};
  };

  static std::uint64_t key_of(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }

  /// Where the key is, or would be.
  Slot* slot(std::uint64_t key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (key * 0x9e3779b97f4a7c15u >> 20) & mask;
    while (slots_[at].key != kEmpty && slots_[at].key != key) at = (at + 1) & mask;
    return &slots_[at];
  }

  std::vector<Slot> slots_;
};

/// A token in the word, linked to its neighbours; id is kGone once it was merged into its left one.
struct Symbol {
  TokenId id;
  std::int32_t previous;
  std::int32_t next;
};
constexpr TokenId kGone = -1;

/// A merge that was possible when it was found.
struct Candidate {
  std::int32_t rank;
  std::int32_t position;
  TokenId result;
  bool operator<(const Candidate& other) const {  // the queue gives the largest first: lowest rank, then leftmost
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

class Bpe : public TokenModel {
 public:
  Bpe(Vocabulary vocabulary, const Merges& merges, const BpeOptions& options)
      : vocabulary_(std::move(vocabulary)), options_(options) {
    read_merges(merges);
    unknown_ = find(options_.unknown);
    if (!options_.unknown.empty() && !unknown_) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("the unknown token '{}' is not in the vocabulary", options_.unknown));
    }
    if (options_.byte_fallback) {
      for (int byte = 0; byte < 256; ++byte) {
        byte_tokens_[static_cast<std::size_t>(byte)] = find(fmt::format("<0x{:02X}>", byte));
      }
    }
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void tokenize(std::string_view piece, std::vector<TokenId>& ids) override {
    if (const std::vector<TokenId>* known = cache_.find(piece)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    const std::size_t first = ids.size();
    const std::optional<TokenId> whole = options_.ignore_merges ? find(piece) : std::nullopt;
    if (whole) {
      ids.push_back(*whole);
    } else {
      read_symbols(piece);
      merge_symbols();
      for (const Symbol& symbol : symbols_) {
        if (symbol.id != kGone) ids.push_back(symbol.id);
      }
    }
    cache_.add(piece, ids.data() + first, ids.data() + ids.size());
  }

 private:
  std::optional<TokenId> find(std::string_view token) const {
    const auto found = vocabulary_.find(token);
    return found == vocabulary_.end() ? std::nullopt : std::optional(found->second);
  }

  void read_merges(const Merges& merges) {
    merges_.reserve(merges.size());
    const std::size_t prefix = options_.continuing_prefix.size();
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const std::string& left = merges[rank].first;
      const std::string& right = merges[rank].second;
      const auto need = [&](const std::string& token) {
        if (const auto id = find(token)) return *id;
        throw Error(ErrorKind::kBadInput,
                    fmt::format("merge {} ('{}' and '{}') needs '{}', which is not in the vocabulary", rank + 1, left,
                                right, token));
      };
      const std::string result = left + (right.size() >= prefix ? right.substr(prefix) : std::string());
      merges_.set(need(left), need(right), {static_cast<std::int32_t>(rank), need(result)});
    }
  }

  void add_symbol(TokenId id) {
    const auto index = static_cast<std::int32_t>(symbols_.size());
    if (index > 0) symbols_.back().next = index;
    symbols_.push_back({id, index - 1, -1});
  }

  bool add_bytes(std::string_view character) {
    if (!options_.byte_fallback) return false;
    for (char c : character) {
      if (!byte_tokens_[static_cast<unsigned char>(c)]) return false;
    }
    for (char c : character) add_symbol(*byte_tokens_[static_cast<unsigned char>(c)]);
    return true;
  }

  /// One symbol a character, or what stands for unknown ones.
  void read_symbols(std::string_view piece) {
    symbols_.clear();
    bool pending = false;  // an unknown token that may still take in the next character
    std::string decorated;
    for (std::size_t position = 0; position < piece.size();) {
      const std::size_t begin = position;
      position += std::min(utf8_length(piece[position]), piece.size() - position);
      const std::string_view character = piece.substr(begin, position - begin);
      std::string_view token = character;
      if (!options_.continuing_prefix.empty() || !options_.word_suffix.empty()) {
        decorated = begin > 0 ? options_.continuing_prefix + std::string(character) : std::string(character);
        if (position == piece.size()) decorated += options_.word_suffix;
        token = decorated;
      }
      if (const auto id = find(token)) {
        if (std::exchange(pending, false)) add_symbol(*unknown_);
        add_symbol(*id);
      } else if (!add_bytes(token) && unknown_) {
        if (pending && !options_.fuse_unknown) add_symbol(*unknown_);
        pending = true;
      }
    }
    if (pending) add_symbol(*unknown_);
  }

  void offer(std::int32_t position) {
    const Symbol& left = symbols_[static_cast<std::size_t>(position)];
    if (left.next < 0) return;
    const Merge* merge = merges_.find(left.id, symbols_[static_cast<std::size_t>(left.next)].id);
    if (merge != nullptr) candidates_.push({merge->rank, position, merge->result});
  }

  void merge_symbols() {
    for (std::size_t i = 0; i + 1 < symbols_.size(); ++i) offer(static_cast<std::int32_t>(i));
    while (!candidates_.empty()) {
      const Candidate top = candidates_.top();
      candidates_.pop();
      Symbol& left = symbols_[static_cast<std::size_t>(top.position)];
      if (left.id == kGone || left.next < 0) continue;
      Symbol& right = symbols_[static_cast<std::size_t>(left.next)];
      const Merge* merge = merges_.find(left.id, right.id);
      // The pair may have changed since; as in the library, another pair with the same result will do.
      if (merge == nullptr || merge->result != top.result) continue;
      left.id = top.result;
      right.id = kGone;
      left.next = right.next;
      if (left.next >= 0) symbols_[static_cast<std::size_t>(left.next)].previous = top.position;
      if (left.previous >= 0) offer(left.previous);
      offer(top.position);
    }
  }

  Vocabulary vocabulary_;
  BpeOptions options_;
  MergeTable merges_;
  std::optional<TokenId> unknown_;
  std::array<std::optional<TokenId>, 256> byte_tokens_;
  WordCache cache_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

}  // namespace

std::unique_ptr<TokenModel> make_bpe(Vocabulary vocabulary, const Merges& merges, const BpeOptions& options) {
  return std::make_unique<Bpe>(std::move(vocabulary), merges, options);
}

}  // namespace nongemm::data
