// What holds of every row of the registry.
#include "models/registry.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "models/test_models.h"
#include "test_paths.h"

namespace nongemm {
namespace {

template <typename Check>
void for_every_row(Check&& check) {
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) check(*architecture, row);
  }
}

TEST(Registry, EveryModelHasItsKnownSize) {
  for_every_row([](const Architecture&, const ModelRow& row) {
    const Graph graph = build_graph(find_model(std::string(row.name)), {});
    EXPECT_EQ(parameter_count(graph), row.parameters) << row.name;
  });
}

TEST(Registry, EveryRowSaysTheSizeOfItsInput) {
  for_every_row([](const Architecture&, const ModelRow& row) {
    EXPECT_TRUE(row.sequence > 0 || (row.height > 0 && row.width > 0)) << row.name;
  });
}

/// Reports show it, and count tokens by it.
TEST(Registry, EveryGraphSaysTheSizeOfItsInput) {
  for_every_row([](const Architecture&, const ModelRow& row) {
    const Graph graph = build_graph(find_model(std::string(row.name)), {});
    const auto holds = [&](const std::string& attribute, std::int64_t size) {
      const auto found = graph.attributes.find(attribute);
      EXPECT_EQ(found == graph.attributes.end() ? "none" : found->second, size > 0 ? std::to_string(size) : "none")
          << row.name << ": graph().attributes[\"" << attribute << "\"], as its row has it";
    };
    holds("sequence", row.sequence);
    holds("height", row.height);
    holds("width", row.width);
  });
}

std::string documents() {
  std::stringstream text;
  for (const char* name : {"models.md", "models-detection.md"}) {
    text << std::ifstream(std::string(NONGEMM_SOURCE_DIR "/docs/") + name).rdbuf();
  }
  return text.str();
}

/// Whole, or what differs from the name before it: "bge-small, -base".
bool names(std::string_view line, std::string_view model) {
  if (line.find(model) != std::string_view::npos) return true;
  for (std::size_t dash = model.find('-'); dash != std::string_view::npos; dash = model.find('-', dash + 1)) {
    const std::string rest = ", " + std::string(model.substr(dash));
    if (line.find(model.substr(0, dash)) != std::string_view::npos && line.find(rest) != std::string_view::npos)
      return true;
  }
  return false;
}

TEST(Registry, EveryModelStandsInTheDocuments) {
  const std::string text = documents();
  for_every_row([&](const Architecture& architecture, const ModelRow& row) {
    bool found = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      found = found || (line.find(architecture.model_type) != std::string::npos && names(line, row.name));
    }
    EXPECT_TRUE(found) << row.name << " is not named beside " << architecture.model_type << " in docs/models.md";
  });
}

}  // namespace
}  // namespace nongemm
