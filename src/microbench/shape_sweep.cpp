#include "microbench/shape_sweep.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/error.h"

namespace nongemm::microbench {
namespace {

/// More points than anybody waits for are a mistake.
constexpr std::size_t kMostShapes = 10000;
/// 2^48 elements are more than any machine holds.
constexpr double kMostElements = 0x1p48;
constexpr std::string_view kWayOut = "write 1x2048x4096, with {128,512} or {128..8192*2} for several sizes";

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  /// For each dimension the sizes that it takes.
  std::vector<std::vector<std::int64_t>> read() {
    std::vector<std::vector<std::int64_t>> dims;
    if (text_ == "scalar") return dims;
    do {
      dims.push_back(accept('{') ? sizes() : std::vector<std::int64_t>{number()});
    } while (accept('x'));
    if (at_ != text_.size()) fail(fmt::format("'{}' is not understood", text_.substr(at_)));
    return dims;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kUsage, fmt::format("shape '{}': {}", text_, what), std::string(kWayOut));
  }

 private:
  bool accept(char letter) {
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }

  std::int64_t number() {
    std::int64_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (end == begin) fail(fmt::format("a size is missing at position {}", at_ + 1));
    if (error != std::errc() || value < 0) fail(fmt::format("a size of '{}' is not possible", std::string(begin, end)));
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::vector<std::int64_t> sizes() {
    std::vector<std::int64_t> values;
    do {
      const std::int64_t first = number();
      values.push_back(first);
      if (!accept('.')) continue;
      if (!accept('.')) fail("a range is written 128..8192");
      add_range(first, number(), values);
    } while (accept(','));
    if (!accept('}')) fail("a '{' is not closed");
    std::set<std::int64_t> known;
    for (const std::int64_t value : values) {
      if (!known.insert(value).second) fail(fmt::format("the size {} is there twice", value));
    }
    return values;
  }

  /// What follows the first value of a range.
  void add_range(std::int64_t first, std::int64_t last, std::vector<std::int64_t>& values) {
    const bool multiplied = accept('*');
    const std::int64_t step = multiplied || accept('+') ? number() : 1;
    if (last < first) fail(fmt::format("the range {}..{} is empty", first, last));
    if (multiplied ? step < 2 || first < 1 : step < 1) fail("the range never ends");
    for (std::int64_t value = first;;) {
      // In this order nothing overflows.
      if (multiplied ? value > last / step : value > last - step) return;
      value = multiplied ? value * step : value + step;
      values.push_back(value);
      if (values.size() > kMostShapes) fail("too many sizes");
    }
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Shape> parse_shapes(const std::string& text) {
  Reader reader(text);
  std::vector<Shape> shapes = {{}};
  for (const std::vector<std::int64_t>& sizes : reader.read()) {
    std::vector<Shape> longer;
    if (shapes.size() * sizes.size() > kMostShapes) reader.fail(fmt::format("more than {} shapes", kMostShapes));
    for (const Shape& shape : shapes) {
      for (const std::int64_t size : sizes) {
        longer.push_back(shape);
        longer.back().push_back(size);
      }
    }
    shapes = std::move(longer);
  }
  for (const Shape& shape : shapes) {
    double elements = 1;
    for (const std::int64_t size : shape) elements *= static_cast<double>(size);
    if (elements > kMostElements) reader.fail("such a tensor is too large for any machine");
  }
  return shapes;
}

}  // namespace nongemm::microbench
