// Operator streams of runs: every reference case dispatches, call by call, what the original dispatched for the same
// weights and inputs, models whose work depends on the data included.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "flows/load.h"
#include "prepare/model.h"
#include "prepare/prepare.h"
#include "reference_cases.h"
#include "stream_reference.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

/// What ran, in order, with the shapes that only the run knew.
std::vector<ExecutedNode> execute(Session& session, const Graph& graph) {
  Trace trace;
  session.run_traced(TraceLevel::kHost, trace);
  const std::vector<ObservedTypes> observed = session.run_for_types();
  std::vector<ExecutedNode> executed;
  auto next = observed.begin();
  for (const NodeSpan& span : trace.nodes) {
    ExecutedNode call{span.node, {}};
    if (next != observed.end() && next->node == span.node) call.results = (next++)->results;
    executed.push_back(std::move(call));
  }
  EXPECT_EQ(next, observed.end()) << graph.name << ": the two runs differ";
  return executed;
}

class ExecutedStreams : public testing::TestWithParam<ReferenceCase> {};

TEST_P(ExecutedStreams, MatchTheOriginal) {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  const std::filesystem::path& folder = GetParam().folder;
  const Model model = find_model(folder.string());
  const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
  ModelOptions options;
  if (model.config.text("_attn_implementation", "") == "eager") options.attention = Attention::kEager;
  const Graph graph = build_graph(model, options_for(inputs, options));
  const PreparedWeights bound = prepare_weights(model, graph, {});
  const std::unique_ptr<Session> session = load_flow("torch").prepare(graph, bound.tensors, {});
  std::vector<HostTensor> ordered;
  for (const Input& input : graph.inputs) {
    for (const auto& [name, tensor] : inputs) {
      if (name == input.name) ordered.push_back(tensor);
    }
  }
  ASSERT_EQ(ordered.size(), graph.inputs.size());
  session->set_inputs(ordered);

  const std::vector<StreamEntry> stream = operator_stream(graph, execute(*session, graph), IdleCasts::kListed);
  EXPECT_EQ(unexplained(folder.filename(), stream_differences(stream, GetParam().stream())), "");
}

INSTANTIATE_TEST_SUITE_P(Originals, ExecutedStreams, testing::ValuesIn(cases_with_streams()),
                         [](const auto& info) { return info.param.identifier(); });

}  // namespace
}  // namespace nongemm
