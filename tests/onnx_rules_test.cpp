// Operators one by one: what ONNX Runtime computes by the operator table's ONNX rules is what LibTorch computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/elements.h"
#include "flows/load.h"
#include "onnx_rule_cases.h"
#include "test_paths.h"

namespace nongemm {
namespace {

constexpr double kTolerance = 2e-5;

std::vector<HostTensor> run(const Graph& graph, const std::string& flow) {
  const std::unique_ptr<Session> session =
      load_flow(flow).prepare(graph, std::vector<HostTensor>(graph.weights.size()), {});
  session->set_inputs(rule_input_values());
  session->run();
  return session->outputs();
}

/// NaN equals NaN and nothing else.
double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0.0;
  return std::isnan(a - b) ? INFINITY : std::abs(a - b);
}

class OnnxRules : public testing::TestWithParam<RuleCase> {
 protected:
  void SetUp() override { setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0); }
};

TEST_P(OnnxRules, ComputeWhatLibTorchComputes) {
  const Graph graph = graph_of(GetParam());
  const std::vector<HostTensor> expected = run(graph, "torch");
  const std::vector<HostTensor> given = run(graph, "ort");
  ASSERT_EQ(given.size(), expected.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    ASSERT_EQ(given[i].dtype, expected[i].dtype) << i;
    ASSERT_EQ(given[i].shape, expected[i].shape) << i;
    double largest = 0;
    double magnitude = 1;  // differences count relative to magnitudes above 1
    for (std::size_t j = 0; j < static_cast<std::size_t>(element_count(given[i].shape)); ++j) {
      largest = std::max(largest, difference(element(given[i], j), element(expected[i], j)));
      if (std::isfinite(element(expected[i], j))) magnitude = std::max(magnitude, std::abs(element(expected[i], j)));
    }
    EXPECT_LE(largest, kTolerance * magnitude) << "result " << i;
  }
}

/// Operators whose rule no case can try, by the begin of their names.
bool is_tried_elsewhere(std::string_view name) {
  constexpr std::array<std::string_view, 8> kBegins = {
      "nongemm.",          "aten.sym_",  // numbers, quantized layers: within models
      "aten.fft_",         "aten._fft_", "aten.view_as_", "aten.real.", "aten.imag.",  // complex numbers are refused
      "aten.multinomial.",                                                             // so are random ones
  };
  return std::any_of(kBegins.begin(), kBegins.end(), [&](std::string_view begin) { return name.starts_with(begin); });
}

TEST(OnnxRuleCases, ThereIsOneForEveryRule) {
  std::set<LowerRule> tried;
  for (const RuleCase& rule : rule_cases()) {
    for (const Node& node : graph_of(rule).nodes) {
      if (const Op* op = OpTable::get().find(node.op)) tried.insert(op->entry.lower);
    }
  }
  for (const Op& op : OpTable::get().all()) {
    if (op.entry.lower == nullptr || is_tried_elsewhere(op.name)) continue;
    EXPECT_TRUE(tried.contains(op.entry.lower)) << op.name << " has an ONNX rule and no case in onnx_rule_cases*.cpp";
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, OnnxRules, testing::ValuesIn(rule_cases()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace nongemm
