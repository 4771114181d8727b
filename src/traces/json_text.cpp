#include "traces/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace nongemm::traces {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{512} << 20;
/// The formats read here have about five levels.
constexpr int kMostDepth = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The text with everything in it that a strict parser needs otherwise.
class Repair {
 public:
  Repair(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  std::string strict() {
    strict_.reserve(text_.size() + 64);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        copy_string();
      } else if (is_letter(c)) {
        copy_word();
      } else {
        count_depth(c);
        strict_ += c;
        ++at_;
      }
    }
    return std::move(strict_);
  }

 private:
  void copy_string() {
    strict_ += text_[at_++];
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) {
        strict_ += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        continue;
      }
      strict_ += c;
      if (c == '"') return;
      if (c == '\\' && at_ < text_.size()) strict_ += text_[at_++];
    }
  }

  /// true, false and null stay; what C++ streams print for numbers that are none becomes null.
  void copy_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word == "nan" || word == "inf" || word == "NaN" || word == "Infinity") {
      if (!strict_.empty() && strict_.back() == '-') strict_.pop_back();
      strict_ += "null";
    } else {
      strict_ += word;
    }
  }

  void count_depth(char c) {
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') --depth_;
    if (depth_ > kMostDepth) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("{}: nested more than {} deep at byte {}", origin_, kMostDepth, at_));
    }
  }

  std::string_view text_;
  const std::string& origin_;
  std::string strict_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

nlohmann::json parse_tool_json(std::string_view text, const std::string& origin) {
  const std::string strict = Repair(text, origin).strict();
  try {
    return nlohmann::json::parse(strict);
  } catch (const nlohmann::json::parse_error& error) {
    const bool truncated = error.byte >= strict.size();
    throw Error(ErrorKind::kBadInput,
                fmt::format("{}: no valid JSON, {} byte {} of {}", origin,
                            truncated ? "it ends too early, at" : "damaged near", error.byte, text.size()),
                "write the file again with the tool that made it");
  } catch (const nlohmann::json::out_of_range&) {
    throw Error(ErrorKind::kBadInput, origin + ": a number in it is out of range");
  }
}

std::string read_trace_text(const std::filesystem::path& path) { return read_file(path, kMostBytes); }

}  // namespace nongemm::traces
