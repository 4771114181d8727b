#define PCRE2_CODE_UNIT_WIDTH 8
#include "data/text/split_pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <optional>
#include <vector>

#include "base/error.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

constexpr std::size_t kMaxExpression = 1 << 16;
constexpr std::uint32_t kMatchLimit = 10'000'000;
constexpr std::size_t kJitStackBytes = 16 << 20;

/// How one escape is widened: alone, and inside of brackets.
struct Widened {
  std::string_view escape;
  bool negated;
  std::string (*members)();
};

constexpr Widened kWidened[] = {
    {"\\p{L}", false, [] { return "\\p{L}" + pcre_new_letters(); }},
    {"\\P{L}", true, [] { return "\\p{L}" + pcre_new_letters(); }},
    {"\\p{N}", false, [] { return "\\p{N}" + pcre_new_numbers(); }},
    {"\\P{N}", true, [] { return "\\p{N}" + pcre_new_numbers(); }},
    {"\\s", false, [] { return pcre_whitespace(); }},
    {"\\S", true, [] { return pcre_whitespace(); }},
};

const Widened* widened_at(std::string_view rest) {
  for (const Widened& widened : kWidened) {
    if (rest.substr(0, widened.escape.size()) == widened.escape) return &widened;
  }
  return nullptr;
}

/// Replaces the escapes whose meaning depends on the Unicode version. A negated one inside of brackets stays: it cannot
/// be written as members.
std::string widen(std::string_view expression) {
  std::string result;
  bool in_class = false;
  for (std::size_t i = 0; i < expression.size();) {
    const char c = expression[i];
    const Widened* widened = c == '\\' ? widened_at(expression.substr(i)) : nullptr;
    if (widened != nullptr && !(in_class && widened->negated)) {
      const std::string members = widened->members();
      result += in_class ? members : (widened->negated ? "[^" : "[") + members + "]";
      i += widened->escape.size();
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    const std::size_t length = c == '\\' && i + 1 < expression.size() ? 2 : 1;
    result += expression.substr(i, length);
    i += length;
  }
  return result;
}

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct SplitPattern::Compiled {
  std::string expression;
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
  pcre2_match_data* match = nullptr;

  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    pcre2_match_data_free(match);
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

SplitPattern SplitPattern::literal(std::string text) {
  SplitPattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

SplitPattern SplitPattern::regex(const std::string& expression) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(ErrorKind::kBadInput, fmt::format("regular expression '{}': {}", expression.substr(0, 200), reason));
  };
  if (expression.size() > kMaxExpression) refuse("too long");
  const std::string widened = widen(expression);
  auto compiled = std::make_shared<Compiled>();
  compiled->expression = expression;
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(widened.data()), widened.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (compiled->code == nullptr) refuse(message_of(error));
  // Without JIT the interpreter runs: slower, same matches.
  pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE);
  compiled->context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(compiled->context, kMatchLimit);
  compiled->stack = pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr);
  pcre2_jit_stack_assign(compiled->context, nullptr, compiled->stack);
  compiled->match = pcre2_match_data_create_from_pattern(compiled->code, nullptr);

  SplitPattern pattern;
  pattern.compiled_ = std::move(compiled);
  return pattern;
}

void SplitPattern::for_each_match(std::string_view text,
                                  const std::function<void(std::size_t, std::size_t)>& on_match) const {
  if (compiled_ == nullptr) {
    if (literal_.empty()) return;
    for (std::size_t at = text.find(literal_); at != std::string_view::npos; at = text.find(literal_, at)) {
      on_match(at, at + literal_.size());
      at += literal_.size();
    }
    return;
  }
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    const int result = pcre2_match(compiled_->code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, compiled_->match,
                                   compiled_->context);
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("regular expression '{}': {}", compiled_->expression.substr(0, 200), message_of(result)));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(compiled_->match);
    const std::size_t begin = bounds[0];
    const std::size_t end = bounds[1];
    if (end > begin) on_match(begin, end);
    at = end > begin ? end : end + (end < text.size() ? utf8_length(text[end]) : 1);
  }
}

void split_text(std::string_view text, const SplitPattern& pattern, SplitBehavior behavior, bool invert,
                const std::function<void(std::string_view)>& on_piece) {
  struct Part {
    std::size_t begin;
    std::size_t end;
    bool delimiter;
  };
  // One part is held back: the next one may be merged with it.
  std::optional<Part> held;
  const auto flush = [&] {
    if (held) on_piece(text.substr(held->begin, held->end - held->begin));
    held.reset();
  };
  const auto add = [&](std::size_t begin, std::size_t end, bool matched) {
    if (begin == end) return;
    const bool delimiter = matched != invert;
    if (delimiter && behavior == SplitBehavior::kRemoved) return;
    const bool joins = held && ((behavior == SplitBehavior::kMergedWithPrevious && delimiter && !held->delimiter) ||
                                (behavior == SplitBehavior::kMergedWithNext && !delimiter && held->delimiter) ||
                                (behavior == SplitBehavior::kContiguous && delimiter == held->delimiter));
    if (joins) {
      // A merged piece takes nothing more, except that runs of a kind go on.
      held->end = end;
      if (behavior != SplitBehavior::kContiguous) flush();
      return;
    }
    flush();
    held = Part{begin, end, delimiter};
  };
  std::size_t last = 0;
  pattern.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    add(last, begin, false);
    add(begin, end, true);
    last = end;
  });
  add(last, text.size(), false);
  flush();
}

}  // namespace nongemm::data
