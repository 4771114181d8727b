// nongemm list models|ops|flows|devices|figures|options|bash|zsh|fish|man
#include <fmt/format.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/version.h"
#include "flows/load.h"
#include "models/registry.h"
#include "ops/op.h"
#include "report/figures.h"
#include "spec/help.h"
#include "spec/shells.h"

namespace nongemm::cli {
namespace {

std::string parameters_text(std::int64_t count) {
  return count >= 1'000'000'000 ? fmt::format("{:.2f} B", static_cast<double>(count) * 1e-9)
                                : fmt::format("{:.1f} M", static_cast<double>(count) * 1e-6);
}

void list_models() {
  constexpr const char* kLine = "{:<16} {:<42} {:<21} {:>10}  {:<9} {}\n";
  fmt::print(kLine, "name", "model", "task", "parameters", "dataset", "default input");
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) {
      const std::string input = row.sequence > 0 ? fmt::format("{} tokens", row.sequence)
                                                 : fmt::format("{}x{} pixels", row.height, row.width);
      fmt::print(kLine, row.name, row.title, title_of(architecture->domain), parameters_text(row.parameters),
                 architecture->dataset, input);
    }
  }
}

void list_operators() {
  fmt::print("{:<46} {:<24} {}\n", "operator", "group", "variant");
  for (const Op& op : OpTable::get().all()) {
    fmt::print("{:<46} {:<24} {}\n", op.name, info(op.entry.group).title, op.entry.variant);
  }
}

/// What each flow says of itself; one that cannot be loaded says why and how to get it.
void list_flows() {
  for (const FlowDescription* flow : known_flows()) {
    try {
      const FlowInfo info = load_flow(std::string(flow->name)).info();
      std::string devices;
      for (const Device& device : info.devices) devices += (devices.empty() ? "" : ", ") + to_string(device);
      fmt::print("{:<10} {:<24} {:<10} on {}\n", flow->name, flow->title, info.version, devices);
    } catch (const Error& error) {
      fmt::print("{:<10} {:<24} not available: {}\n", flow->name, flow->title, error.what());
    }
  }
}

}  // namespace

ExitCode list_command(const Selection& selection) {
  const std::string what = single_point(kList, selection, "one table is printed at a time").subject;
  if (what == "models") list_models();
  if (what == "ops") list_operators();
  if (what == "flows") list_flows();
  if (what == "devices") fmt::print("{}", devices_text());
  if (what == "figures") fmt::print("{}", figures_markdown());
  if (what == "options") fmt::print("{}", cli_markdown(option_table()));
  if (what == "bash") fmt::print("{}", bash_completion(option_table()));
  if (what == "zsh") fmt::print("{}", zsh_completion(option_table()));
  if (what == "fish") fmt::print("{}", fish_completion(option_table()));
  if (what == "man") fmt::print("{}", man_page(option_table()));
  return kSuccess;
}

}  // namespace nongemm::cli
