// What stands between two values of an event, remembered from events before: a writer puts the same members in the same
// order, so that a comma, a key and a colon are one comparison instead of four searches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace nongemm::traces {

struct EventField;

class KeyMemory {
 public:
  /// Bytes that are read at a place, whatever stands there.
  static constexpr std::size_t kReach = 32;

  /// What comes behind a key: a value of a field (nullptr: nobody asks for it), or the object of arguments.
  struct Key {
    const EventField* field = nullptr;
    bool is_args = false;
    bool in_args = false;
    bool operator==(const Key&) const = default;
  };

  KeyMemory();
  KeyMemory(const KeyMemory&) = delete;
  KeyMemory& operator=(const KeyMemory&) = delete;

  /// Before the first member of an event, behind its arguments, and in a text that cannot be learned.
  void begin_event() { last_ = pieces_.data() + kBegin; }
  void leave_args() { last_ = pieces_.data() + kBehindArgs; }
  void lose_track() { last_ = pieces_.data() + kLost; }

  /// The key at `at` if it is one that came here before, and moves on behind it; else nullptr.
  const Key* recall(const char*& at) {
    for (Piece* next : last_->next) {
      if (next == nullptr || !next->stands_at(at)) continue;
      at += next->size;
      last_ = next;
      return &next->key;
    }
    return nullptr;
  }
  /// @param text from behind the value before to this key's value; JSON without a fault
  void learn(std::string_view text, const Key& key);

 private:
  /// Compilers make one instruction of an operation on all of them, whatever the processor.
  using Bytes = std::uint64_t __attribute__((vector_size(16)));
  struct Piece {
    std::array<Bytes, kReach / sizeof(Bytes)> text{};
    std::array<Bytes, kReach / sizeof(Bytes)> mask{};
    /// What came behind it, the latest first.
    std::array<Piece*, 4> next{};
    std::size_t size = 0;
    Key key;

    bool stands_at(const char* at) const {
      std::array<Bytes, 2> there;
      std::memcpy(there.data(), at, kReach);
      const Bytes differ = ((there[0] ^ text[0]) & mask[0]) | ((there[1] ^ text[1]) & mask[1]);
      return (differ[0] | differ[1]) == 0;
    }
  };
  static constexpr std::size_t kBegin = 0;
  static constexpr std::size_t kBehindArgs = 1;
  static constexpr std::size_t kLost = 2;
  /// More than writers have; the others of a file that has more are read without. Pieces point at one another.
  static constexpr std::size_t kMostPieces = 256;

  std::vector<Piece> pieces_;
  Piece* last_ = nullptr;
};

}  // namespace nongemm::traces
