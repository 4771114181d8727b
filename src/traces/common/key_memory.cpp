#include "traces/common/key_memory.h"

#include <algorithm>

namespace nongemm::traces {

KeyMemory::KeyMemory() {
  pieces_.reserve(kMostPieces);
  pieces_.resize(kLost + 1);
  begin_event();
}

void KeyMemory::learn(std::string_view text, const Key& key) {
  if (text.size() > kReach) {
    lose_track();
    return;
  }
  Piece piece;
  std::memcpy(&piece.text, text.data(), text.size());
  std::memset(&piece.mask, 0xFF, text.size());
  piece.key = key;
  piece.size = text.size();
  // A key that came before behind another one.
  auto at = std::find_if(pieces_.begin() + kLost + 1, pieces_.end(), [&](const Piece& other) {
    return other.size == piece.size && std::memcmp(&other.text, &piece.text, kReach) == 0 && other.key == key;
  });
  if (at == pieces_.end()) {
    if (pieces_.size() == kMostPieces) {
      lose_track();
      return;
    }
    at = pieces_.insert(at, piece);
  }
  if (last_ != &pieces_[kLost]) {
    auto& next = last_->next;
    std::copy_backward(next.begin(), next.end() - 1, next.end());
    next.front() = &*at;
  }
  last_ = &*at;
}

}  // namespace nongemm::traces
