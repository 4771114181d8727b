// Python's pickle format read as data: a machine that builds values and never calls anything.
//
// What would be a call in Python (REDUCE) becomes a Call value that names the callable; only callables on a list may be
// named at all. The caller gives a meaning to the few calls it knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nongemm::weights::pickle {

struct Value;

struct None {};
struct Bytes {
  std::string content;
};
struct Tuple {
  std::vector<const Value*> items;
};
struct List {
  std::vector<const Value*> items;
};
struct Dict {
  std::vector<std::pair<const Value*, const Value*>> items;  // in order, a later equal key counts
};
/// "collections.OrderedDict", "torch.FloatStorage"
struct Global {
  std::string name;
};
/// A callable of the list, not called.
struct Call {
  std::string name;
  const Value* arguments = nullptr;  // a Tuple
};
/// An object that lies outside the pickle; torch: a storage.
struct Persistent {
  const Value* id = nullptr;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, Bytes, Tuple, List, Dict, Global, Call, Persistent> data;

  template <typename T>
  const T* get() const {
    return std::get_if<T>(&data);
  }
};

/// Owns all values of one pickle: they may refer to each other in circles and to any depth.
struct Document {
  std::deque<Value> values;
  const Value* root = nullptr;
};

/// Whether a pickle may name this global ("module.name").
using AllowGlobal = bool (*)(std::string_view name);

/// Reads one pickle of protocol 0 to 5. collections.OrderedDict becomes a Dict. State given to objects (BUILD) is
/// dropped. Memory stays within a constant multiple of the input; depth costs no stack.
/// @param file_name for messages only
/// @param consumed receives the number of bytes read: another pickle may follow
/// @throws Error (kBadInput) for damaged input and (kUnsupported) for a global that is not allowed, naming it
Document parse(std::span<const std::byte> bytes, AllowGlobal allow, std::string_view file_name,
               std::size_t* consumed = nullptr);

}  // namespace nongemm::weights::pickle
