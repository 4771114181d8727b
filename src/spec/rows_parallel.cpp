// Options that share a model among several devices.
#include "spec/option_rows.h"

namespace nongemm::option_rows {

std::vector<Option> parallel_rows() {
  constexpr unsigned kCut = kRun | kInspect | kVerify;
  std::vector<Option> rows;
  rows.push_back(integer(
      {.name = "tensor-parallel",
       .value = "N",
       .doc = "ranks that share each layer, a process and a device each (docs/tensor-parallel.md)",
       .otherwise = "one",
       .section = OptionSection::kModel,
       .commands = kCut | kOp,
       .shown = OptionShown::kWhenGiven,
       .swept = true,
       .commas = true},
      [](auto& r) -> auto& { return r.run.runtime.place.ranks; }, {1, 1024}, /*absent=*/1));
  rows.push_back(text(
      {.name = "tensor-parallel-plan",
       .value = "FILE",
       .doc = "which modules are cut, and how: a TOML file",
       .otherwise = "as the architecture's own",
       .section = OptionSection::kModel,
       .commands = kCut,
       .shown = OptionShown::kWhenGiven},
      [](auto& r) -> auto& { return r.run.runtime.place.plan; }));
  rows.push_back(number({.name = "rank-timeout",
                         .value = "S",
                         .doc = "the longest that a rank waits for the others, in seconds",
                         .section = OptionSection::kRun,
                         .commands = kRun | kVerify | kOp,
                         .role = OptionRole::kHow},
                        [](auto& r) -> auto& { return r.run.runtime.place.most_seconds; }, {0.1, 86400.0}));
  return rows;
}

}  // namespace nongemm::option_rows
