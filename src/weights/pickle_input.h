// The bytes of a pickle and the numbers in them.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nongemm::weights::pickle {

class PickleInput {
 public:
  PickleInput(std::span<const std::byte> bytes, std::string_view file_name)
      : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), file_name_(file_name) {}

  std::size_t size() const { return text_.size(); }
  std::size_t position() const { return at_; }
  std::string_view file_name() const { return file_name_; }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: damaged pickle at byte {}: {}", file_name_, at_, what),
                "fetch or save the file again");
  }

  std::string_view take(std::uint64_t size) {
    if (size > text_.size() - at_) refuse("it is truncated");
    const std::string_view piece = text_.substr(at_, static_cast<std::size_t>(size));
    at_ += piece.size();
    return piece;
  }

  std::string_view take_line() {
    const std::size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) refuse("it is truncated");
    const std::string_view line = take(end - at_);
    ++at_;
    return line;
  }

  /// A little-endian unsigned number.
  std::uint64_t take_number(int bytes) {
    std::uint64_t value = 0;
    const std::string_view piece = take(static_cast<std::uint64_t>(bytes));
    for (std::size_t i = piece.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(piece[i]);
    return value;
  }

  std::int64_t parse_decimal(std::string_view digits) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) refuse("a number is malformed or beyond 64 bits");
    return value;
  }

  double parse_fraction(std::string_view digits) const {
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) refuse("a number is malformed");
    return value;
  }

  /// Two's complement, little-endian, any length.
  std::int64_t take_long(std::uint64_t bytes) {
    const std::string_view piece = take(bytes);
    if (piece.size() > 8) refuse("a number is beyond 64 bits");
    std::uint64_t value = !piece.empty() && (piece.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = piece.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(piece[i]);
    return static_cast<std::int64_t>(value);
  }

 private:
  std::string_view text_;
  std::string_view file_name_;
  std::size_t at_ = 0;
};

}  // namespace nongemm::weights::pickle
