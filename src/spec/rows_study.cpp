// Options of studies. What they have in common with `run` (batch, dtype, measuring, sweeps) stands with `run`'s rows:
// given to a study it takes the place of what the study's plan says.
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

OptionInfo of_study(OptionInfo info) {
  info.commands = kStudy;
  info.role = OptionRole::kOutput;
  return info;
}

}  // namespace

std::vector<Option> study_rows(const std::vector<std::string>& flows) {
  std::vector<Option> rows;
  rows.push_back(text(
      of_study({.name = "study",
                .value = "STUDY",
                .doc = "which one; list says what each asks",
                .section = OptionSection::kSubject,
                .positional = true,
                .required = true,
                .choices = {"list", "acceleration", "dominant-operators", "operators", "runtimes", "fusion",
                            "quantization", "launch", "headroom", "scaling", "decode"}}),
      [](auto& r) -> auto& { return r.studied.name; }));
  rows.push_back(flag(
      of_study({.name = "quick", .doc = "few small models and little time for each: minutes on a laptop's CPU"}),
      [](auto& r) -> auto& { return r.studied.quick; }));
  rows.push_back(text(
      of_study({.name = "from",
                .value = "REPORT",
                .doc = "make the tables from recorded reports, journals or folders of them, and run nothing",
                .section = OptionSection::kSubject,
                .repeatable = true,
                .commas = true}),
      [](auto& r) -> auto& { return r.studied.from; }));
  rows.push_back(text(
      of_study({.name = "plan",
                .value = "PLAN.toml",
                .doc = "the points of a plan, as nongemm run takes it",
                .otherwise = "the study's own"}),
      [](auto& r) -> auto& { return r.studied.plan; }));
  rows.push_back(text(
      of_study({.name = "model",
                .value = "MODEL",
                .doc = "of the study's models these; others stand in their place",
                .otherwise = "all of the study's",
                .section = OptionSection::kModel,
                .repeatable = true,
                .commas = true}),
      [](auto& r) -> auto& { return r.studied.models; }));
  rows.push_back(text(
      of_study({.name = "flow",
                .value = "FLOW",
                .doc = "of the study's flows these",
                .otherwise = "all of the study's",
                .repeatable = true,
                .commas = true,
                .choices = flows}),
      [](auto& r) -> auto& { return r.studied.flows; }));
  rows.push_back(text(
      of_study({.name = "device",
                .value = "DEVICE",
                .doc = "of the study's devices these: cpu, cuda, cuda:N",
                .otherwise = "cpu and cuda",
                .repeatable = true,
                .commas = true}),
      [](auto& r) -> auto& { return r.studied.devices; }));
  return rows;
}

}  // namespace nongemm::option_rows
