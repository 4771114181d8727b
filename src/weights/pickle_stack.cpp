#include "weights/pickle_stack.h"

#include <fmt/format.h>

namespace nongemm::weights::pickle {
namespace {

// A state dict of a thousand tensors has 20 000 values.
constexpr std::size_t kMaxValues = 2'000'000;

}  // namespace

/// The values on the stack and in the memo are few; pointers to them could be many.
void Stack::check_room(std::size_t size) const {
  if (size >= kMaxValues) in_.refuse(fmt::format("holds more than {} values", kMaxValues));
}

void Stack::check_not_empty() const {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) in_.refuse("its stack is empty");
}

void Stack::push_again(Value* value) {
  check_room(stack_.size());
  stack_.push_back(value);
}

void Stack::push_tuple(std::size_t size) {
  Tuple tuple;
  tuple.items.resize(size);
  for (std::size_t i = size; i-- > 0;) tuple.items[i] = pop();
  push(std::move(tuple));
}

void Stack::push_mark() {
  check_room(marks_.size());
  marks_.push_back(stack_.size());
}

Value* Stack::pop() {
  check_not_empty();
  Value* top = stack_.back();
  stack_.pop_back();
  return top;
}

Value* Stack::top() const {
  check_not_empty();
  return stack_.back();
}

std::vector<const Value*> Stack::pop_to_mark() {
  if (marks_.empty()) in_.refuse("a mark is missing");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<const Value*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void Stack::pop_value_or_mark() {
  if (!marks_.empty() && stack_.size() == marks_.back()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void Stack::put(std::uint64_t index) {
  check_room(memo_.size());
  memo_[index] = top();
}

void Stack::get(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) in_.refuse(fmt::format("memo entry {} does not exist", index));
  push_again(found->second);
}

Document Stack::finish() {
  if (stack_.size() != 1 || !marks_.empty()) in_.refuse("ends with other than one value");
  document_.root = stack_.back();
  return std::move(document_);
}

}  // namespace nongemm::weights::pickle
