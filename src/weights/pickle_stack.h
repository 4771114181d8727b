// The memory of the machine that reads a pickle: its values, its stack with marks, and its memo. What a pickle can make
// them hold is bounded, and using what is not there is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weights/pickle.h"
#include "weights/pickle_input.h"

namespace nongemm::weights::pickle {

class Stack {
 public:
  /// @param in says where the pickle is damaged; outlives this
  explicit Stack(const PickleInput& in) : in_(in) {}

  template <typename T>
  void push(T data) {
    check_room(document_.values.size());
    document_.values.push_back(Value{std::move(data)});
    stack_.push_back(&document_.values.back());
  }
  void push_again(Value* value);
  /// The topmost `size` values become one.
  void push_tuple(std::size_t size);
  void push_mark();

  Value* pop();
  Value* top() const;
  std::vector<const Value*> pop_to_mark();
  /// Popping a mark is allowed, as in Python.
  void pop_value_or_mark();

  /// The memo: the topmost value under a number, or under the next one.
  void put(std::uint64_t index);
  void memoize() { put(memo_.size()); }
  void get(std::uint64_t index);

  /// Everything, with the only value left on the stack as its root.
  Document finish();

 private:
  void check_room(std::size_t size) const;
  /// Refuses to go below the last mark.
  void check_not_empty() const;

  const PickleInput& in_;
  Document document_;
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value*> memo_;
};

}  // namespace nongemm::weights::pickle
