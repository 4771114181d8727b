// Which part of a value a rank has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nongemm::passes {

struct Placement {
  enum class Kind : std::uint8_t {
    kWhole,    // all of it
    kCut,      // a part along one dimension
    kPartial,  // all of it, to be added to what the others have
  };
  Kind kind = Kind::kWhole;
  std::size_t dim = 0;  // kCut
  /// kCut: sizes of the whole along `dim` that are cut each by itself; of each, a rank has an equal stretch, and the
  /// stretches lie one after the other.
  std::vector<std::int64_t> pieces = {};

  static Placement cut(std::size_t dim, std::vector<std::int64_t> pieces) {
    return {Kind::kCut, dim, std::move(pieces)};
  }
  static Placement partial() { return {Kind::kPartial}; }
  bool is_whole() const { return kind == Kind::kWhole; }
  bool is_cut() const { return kind == Kind::kCut; }
  bool is_partial() const { return kind == Kind::kPartial; }
  bool operator==(const Placement&) const = default;
};

}  // namespace nongemm::passes
