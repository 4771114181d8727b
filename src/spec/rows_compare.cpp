// Options of comparisons.
#include <fmt/format.h>

#include "base/error.h"
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

OptionInfo of_compare(OptionInfo info) {
  info.section = OptionSection::kComparing;
  info.commands = kCompare;
  info.role = OptionRole::kOutput;
  return info;
}

/// "5%" or 0.05 as a share. A bare 5 would be 500 %, and who writes it means another thing.
double read_share(const Option& option, const std::string& text) {
  constexpr double kAll = 100;
  const bool percent = text.ends_with('%');
  const char* end = text.data() + text.size() - (percent ? 1 : 0);
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::invalid_argument || stop != end) {
    throw Error(ErrorKind::kUsage, fmt::format("{} {} is not a number", option.spelled(), text));
  }
  const double share = percent ? number / kAll : number;
  if (error == std::errc() && !percent && number >= 1 && number <= kAll) {
    throw Error(ErrorKind::kUsage, fmt::format("{} {} is {:g} %", option.spelled(), text, share * kAll),
                fmt::format("write {}% or {:g}", text, number / kAll));
  }
  if (error == std::errc() && share >= 0 && share <= 1) return share;
  throw Error(ErrorKind::kUsage, fmt::format("{} {} not in range 0% to 100%", option.spelled(), text));
}

template <typename Member>
Option share(OptionInfo info, Member member) {
  Option option = custom(std::move(info), {}, [member](const Request& request) -> std::vector<std::string> {
    const auto& held = member(request);
    if (!is_there(held)) return {};
    return {fmt::format("{:.12g}%", 100 * inside(held))};
  });
  option.set = [option, member](Request& request, const std::string& text) {
    member(request) = read_share(option, text);
  };
  return option;
}

}  // namespace

std::vector<Option> compare_rows() {
  std::vector<Option> rows;
  rows.push_back(text(
      of_compare({.name = "result",
                  .value = "REPORT",
                  .doc = "two reports, journals or folders of them: base, then new",
                  .repeatable = true,
                  .positional = true}),
      [](auto& r) -> auto& { return r.compared.reports; }));
  rows.back().section = OptionSection::kSubject;
  rows.push_back(text(
      of_compare({.name = "run",
                  .value = "COMMAND",
                  .doc = "measure in place of reading: two run commands, \"gpt2 --dtype bf16\" or \"/other/nongemm run "
                         "gpt2\", in turns and in processes of their own",
                  .repeatable = true}),
      [](auto& r) -> auto& { return r.compared.runs; }));
  rows.push_back(share(
      of_compare({.name = "fail-above",
                  .value = "X%",
                  .doc = "exit with 1 when an inference is surely slower by more than this",
                  .otherwise = "no gate"}),
      [](auto& r) -> auto& { return r.compared.fail_above; }));
  rows.push_back(share(
      of_compare({.name = "tolerance", .value = "X%", .doc = "up to which a difference is none"}),
      [](auto& r) -> auto& { return r.compared.tolerance; }));
  rows.push_back(integer(of_compare({.name = "processes",
                                     .value = "N",
                                     .doc = "with --run: the most turns",
                                     .otherwise = "until it is decided or the budget is spent"}),
                         [](auto& r) -> auto& { return r.compared.processes; }, {1, 1000}));
  rows.push_back(
      number(of_compare({.name = "budget", .value = "S", .doc = "with --run: seconds that measuring may take"}),
             [](auto& r) -> auto& { return r.compared.budget_s; }, {1.0, 1e7}));
  return rows;
}

}  // namespace nongemm::option_rows
