// nongemm list models|ops|flows|devices|figures
#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "cli/command.h"
#include "flows/load.h"
#include "models/registry.h"
#include "ops/op.h"
#include "report/figures.h"

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
  for (const FlowEntry& entry : known_flows()) {
    try {
      const FlowInfo info = load_flow(std::string(entry.name)).info();
      std::string devices;
      for (const std::string& device : info.devices) devices += (devices.empty() ? "" : ", ") + device;
      fmt::print("{:<10} {:<24} {:<10} on {}\n", entry.name, entry.title, info.version, devices);
    } catch (const Error& error) {
      fmt::print("{:<10} {:<24} not available: {}\n", entry.name, entry.title, error.what());
    }
  }
}

}  // namespace

void add_list_command(CLI::App& app, int& exit_code) {
  auto what = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "list", "What is built in: models, operators, flows with the devices they find, figures of reports");
  command->add_option("WHAT", *what, "models, ops, flows, devices or figures")
      ->required()
      ->check(CLI::IsMember({"models", "ops", "flows", "devices", "figures"}));
  command->callback([what, &exit_code] {
    if (*what == "models") list_models();
    if (*what == "ops") list_operators();
    if (*what == "flows" || *what == "devices") list_flows();
    if (*what == "figures") fmt::print("{}", figures_markdown());
    exit_code = kSuccess;
  });
}

}  // namespace nongemm::cli
