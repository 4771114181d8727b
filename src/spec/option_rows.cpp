#include "spec/option_rows.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace nongemm::option_rows {
namespace {

/// 1,000,000
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string grouped(std::int64_t number) {
  return number < 0 ? "-" + grouped(static_cast<std::uint64_t>(-number)) : grouped(static_cast<std::uint64_t>(number));
}

[[noreturn]] void out_of_range(const Option& option, const std::string& text, const std::string& least,
                               const std::string& most) {
  throw Error(ErrorKind::kUsage, fmt::format("{} {} not in range {} to {}", option.spelled(), text, least, most));
}

template <typename Number>
Number read(const Option& option, const std::string& text, Number least, Number most) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool below = std::is_unsigned_v<Number> && text.starts_with('-');
  if (!below && (error == std::errc::invalid_argument || stop != end)) {
    const char* kind = std::is_floating_point_v<Number> ? "a number" : "a whole number";
    throw Error(ErrorKind::kUsage, fmt::format("{} {} is not {}", option.spelled(), text, kind));
  }
  if (error == std::errc() && number >= least && number <= most) return number;
  if constexpr (std::is_floating_point_v<Number>) {
    out_of_range(option, text, number_text(least), number_text(most));
  } else {
    out_of_range(option, text, grouped(least), grouped(most));
  }
}

}  // namespace

std::int64_t read_integer(const Option& option, const std::string& text, IntegerRange range) {
  return read<std::int64_t>(option, text, range.least, range.most);
}

std::uint64_t read_seed(const Option& option, const std::string& text) {
  return read<std::uint64_t>(option, text, 0, UINT64_MAX);
}

double read_number(const Option& option, const std::string& text, NumberRange range) {
  return read<double>(option, text, range.least, range.most);
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::size_t read_choice(const Option& option, const std::string& text) {
  for (std::size_t i = 0; i < option.choices.size(); ++i) {
    if (option.choices[i] == text) return i;
  }
  throw Error(ErrorKind::kUsage, fmt::format("unknown {} '{}'", option.name, text), did_you_mean(text, option.choices));
}

Option custom(OptionInfo info, std::function<void(Request&, const std::string&)> set,
              std::function<std::vector<std::string>(const Request&)> get) {
  return {std::move(info), OptionType::kText, std::move(set), std::move(get)};
}

}  // namespace nongemm::option_rows
