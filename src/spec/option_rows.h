// Making rows of the option table from members of Request. A row is its OptionInfo and a lambda that gives the member:
//
//   integer({.name = "threads", .value = "N", .doc = "..."}, [](auto& r) -> auto& { return r.run.runtime.threads; },
//           {1, 64})
//
// `integer`, `number`, `text`, `flag`, `choice` and `custom` make rows; what the members of an OptionInfo decide says
// option.h.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "spec/option.h"

namespace nongemm::option_rows {

struct IntegerRange {
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
};
struct NumberRange {
  double least = 0;
  double most = 0;
};

/// Texts and values; `read` throws Error(kUsage) with option, value and range.
std::int64_t read_integer(const Option& option, const std::string& text, IntegerRange range);
std::uint64_t read_seed(const Option& option, const std::string& text);
double read_number(const Option& option, const std::string& text, NumberRange range);
std::string number_text(double number);
/// The position of `text` among the option's choices.
std::size_t read_choice(const Option& option, const std::string& text);

template <typename Member>
using Held = std::decay_t<decltype(std::declval<Member>()(std::declval<Request&>()))>;

template <typename T>
struct ValueOf {
  using Type = T;
};
template <typename T>
struct ValueOf<std::optional<T>> {
  using Type = T;
};

template <typename T>
bool is_there(const T&) {
  return true;
}
template <typename T>
bool is_there(const std::optional<T>& value) {
  return value.has_value();
}
template <typename T>
const T& inside(const T& value) {
  return value;
}
template <typename T>
const T& inside(const std::optional<T>& value) {
  return *value;
}

/// An integer, or an optional one. `absent` is the value that stands for none given.
template <typename Member>
Option integer(OptionInfo info, Member member, IntegerRange range, std::optional<std::int64_t> absent = {}) {
  using Value = typename ValueOf<Held<Member>>::Type;
  Option option{std::move(info), OptionType::kInteger, {}, {}};
  option.set = [option, member, range](Request& request, const std::string& text) {
    member(request) = static_cast<Value>(read_integer(option, text, range));
  };
  option.get = [member, absent](const Request& request) -> std::vector<std::string> {
    const auto& held = member(request);
    if (!is_there(held) || inside(held) == absent) return {};
    return {std::to_string(inside(held))};
  };
  return option;
}

template <typename Member>
Option number(OptionInfo info, Member member, NumberRange range) {
  Option option{std::move(info), OptionType::kNumber, {}, {}};
  option.set = [option, member, range](Request& request, const std::string& text) {
    member(request) = read_number(option, text, range);
  };
  option.get = [member](const Request& request) -> std::vector<std::string> {
    const auto& held = member(request);
    return is_there(held) ? std::vector{number_text(inside(held))} : std::vector<std::string>();
  };
  return option;
}

/// One text, or a list of them where the option is repeatable.
template <typename Member>
Option text(OptionInfo info, Member member) {
  Option option{std::move(info), OptionType::kText, {}, {}};
  option.set = [option, member](Request& request, const std::string& text) {
    if (!option.choices.empty()) read_choice(option, text);
    if constexpr (std::is_same_v<Held<Member>, std::string>) {
      member(request) = text;
    } else {
      member(request).push_back(text);
    }
  };
  option.get = [member](const Request& request) -> std::vector<std::string> {
    if constexpr (std::is_same_v<Held<Member>, std::string>) {
      return member(request).empty() ? std::vector<std::string>() : std::vector{member(request)};
    } else {
      return member(request);
    }
  };
  return option;
}

/// @param when_given what the flag makes of the member
template <typename Member>
Option flag(OptionInfo info, Member member, bool when_given = true) {
  Option option{std::move(info), OptionType::kFlag, {}, {}};
  option.set = [member, when_given](Request& request, const std::string&) { member(request) = when_given; };
  option.get = [member, when_given](const Request& request) -> std::vector<std::string> {
    return member(request) == when_given ? std::vector<std::string>{"true"} : std::vector<std::string>();
  };
  return option;
}

/// An enumerator (or bool); its texts become the option's choices.
template <typename Member>
Option choice(OptionInfo info, Member member, std::vector<std::pair<std::string, Held<Member>>> values) {
  Option option{std::move(info), OptionType::kText, {}, {}};
  for (const auto& [name, value] : values) option.choices.push_back(name);
  option.set = [option, member, values](Request& request, const std::string& text) {
    member(request) = values[read_choice(option, text)].second;
  };
  option.get = [member, values](const Request& request) -> std::vector<std::string> {
    for (const auto& [name, value] : values) {
      if (value == member(request)) return {name};
    }
    return {};
  };
  return option;
}

/// Anything else.
Option custom(OptionInfo info, std::function<void(Request&, const std::string&)> set,
              std::function<std::vector<std::string>(const Request&)> get);

/// The rows of the table, a file each; in the order in which commands and help have them.
std::vector<Option> subject_rows();
std::vector<Option> operator_rows();
std::vector<Option> model_rows();
std::vector<Option> quantize_rows();  // part of model_rows
std::vector<Option> generate_rows();
std::vector<Option> parallel_rows();  // likewise
std::vector<Option> run_rows(const std::vector<std::string>& flows);
std::vector<Option> sweep_rows();
std::vector<Option> compare_rows();
std::vector<Option> study_rows(const std::vector<std::string>& flows);
std::vector<Option> output_rows();

}  // namespace nongemm::option_rows
