// The option table as this program has it.
#include "flows/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "flows/load.h"
#include "spec/help.h"
#include "study/exit_code.h"
#include "test_paths.h"

namespace nongemm {
namespace {

TEST(Options, AreDocumentedFromTheTable) {
  std::stringstream text;
  text << std::ifstream(NONGEMM_SOURCE_DIR "/docs/cli.md").rdbuf();
  EXPECT_TRUE(text.str().ends_with(cli_markdown(option_table())))
      << "docs/cli.md is not what the option table says: make generated writes it anew";
  for (const auto& [code, name] : {std::pair(kSuccess, "success"), std::pair(kFailure, "failure"),
                                   std::pair(kWrongUsage, "usage"), std::pair(kWrongInput, "bad input"),
                                   std::pair(kNotSupported, "unsupported"), std::pair(kInterrupted, "interrupted")}) {
    EXPECT_THAT(text.str(), testing::HasSubstr("| " + std::to_string(code) + " | " + name + " |"));
  }
}

TEST(Options, HaveOneNamePerSubcommandAndSayWhatTheyDo) {
  for (const CommandInfo& info : command_infos()) {
    std::set<std::string> names;
    for (const Option* option : option_table().options(info.command)) {
      EXPECT_TRUE(names.insert(option->name).second) << info.name << " " << option->name;
      EXPECT_FALSE(option->doc.empty()) << option->name;
      EXPECT_TRUE(option->type == OptionType::kFlag || !option->value.empty()) << option->name;
    }
  }
}

TEST(Options, OfFlowsAreDeclaredByFlows) {
  EXPECT_EQ(option_table().option(kRun, "ort.level").choices.size(), 4U);
  for (const FlowDescription* flow : known_flows()) {
    for (const FlowSetting& setting : flow->settings) {
      const Option& row = option_table().option(kRun, std::string(flow->name) + "." + std::string(setting.name));
      EXPECT_TRUE(row.of_flow);
      EXPECT_EQ(row.role == OptionRole::kIdentity, setting.identity) << row.name;
    }
  }
}

}  // namespace
}  // namespace nongemm
