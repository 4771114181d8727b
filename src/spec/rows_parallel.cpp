// Options that share a model among several devices.
#include "spec/option_rows.h"
#include "spec/tensor_parallel.h"

namespace nongemm::option_rows {
namespace {

constexpr unsigned kCut = kRun | kInspect | kVerify;

/// Changes the place of a request.
template <typename Change>
void change(Request& request, const Change& changed) {
  RankPlace place = place_of(request.run.runtime);
  changed(place);
  set_place(request.run.runtime, place);
}

Option ranks_row() {
  Option row = custom({.name = "tensor-parallel",
                       .value = "N",
                       .doc = "ranks that share each layer, a process and a device each (docs/tensor-parallel.md)",
                       .otherwise = "one",
                       .section = OptionSection::kModel,
                       .commands = kCut | kOp,
                       .shown = OptionShown::kWhenGiven,
                       .swept = true,
                       .commas = true},
                      {}, [](const Request& request) -> std::vector<std::string> {
                        const RankPlace place = place_of(request.run.runtime);
                        if (!place.is_one_of_several()) return {};
                        return {std::to_string(place.ranks)};
                      });
  row.type = OptionType::kInteger;
  row.set = [option = row](Request& request, const std::string& text) {
    const auto count = static_cast<int>(read_integer(option, text, {1, 1024}));
    change(request, [&](RankPlace& place) { place.ranks = count; });
  };
  return row;
}

Option plan_row() {
  return custom(
      {.name = "tensor-parallel-plan",
       .value = "FILE",
       .doc = "which modules are cut, and how: a TOML file",
       .otherwise = "as the architecture's own",
       .section = OptionSection::kModel,
       .commands = kCut,
       .shown = OptionShown::kWhenGiven},
      [](Request& request, const std::string& text) { change(request, [&](RankPlace& place) { place.plan = text; }); },
      [](const Request& request) -> std::vector<std::string> {
        const RankPlace place = place_of(request.run.runtime);
        return place.plan.empty() ? std::vector<std::string>() : std::vector{place.plan};
      });
}

Option timeout_row() {
  Option row = custom(
      {.name = "rank-timeout",
       .value = "S",
       .doc = "the longest that a rank waits for the others, in seconds",
       .section = OptionSection::kRun,
       .commands = kRun | kVerify | kOp,
       .role = OptionRole::kHow},
      {}, [](const Request& request) { return std::vector{number_text(place_of(request.run.runtime).most_seconds)}; });
  row.type = OptionType::kNumber;
  row.set = [option = row](Request& request, const std::string& text) {
    const double seconds = read_number(option, text, {0.1, 86400.0});
    change(request, [&](RankPlace& place) { place.most_seconds = seconds; });
  };
  return row;
}

}  // namespace

std::vector<Option> parallel_rows() {
  std::vector<Option> rows;
  rows.push_back(ranks_row());
  rows.push_back(plan_row());
  rows.push_back(timeout_row());
  return rows;
}

}  // namespace nongemm::option_rows
