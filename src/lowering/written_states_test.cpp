#include "lowering/written_states.h"

#include <gtest/gtest.h>

#include <string>

#include "graph/state.h"
#include "lowering/lower.h"
#include "ops/builder.h"

namespace nongemm::onnx {
namespace {

const std::string kPastRow = std::string(kPast) + "row";
const std::string kPresentRow = std::string(kPresent) + "row";

/// One number goes into a row.
/// @param looks_back the old row is read, too
Graph writing_graph(bool looks_back) {
  Builder b("writing", DType::kFloat32);
  const Tensor row = b.input(kPastRow, DType::kFloat32, {4}, {});
  const Tensor place = b.input("place", DType::kInt64, {1}, {});
  const Tensor number = b.input("number", DType::kFloat32, {1}, {});
  if (looks_back) b.output("before", b.call("aten.neg.default", {row}));
  const Tensor written = b.call("aten.index_copy_.default", {row, 0, place, number});
  b.output("after", b.call("aten.neg.default", {written}));
  return b.finish();
}

TEST(WrittenStates, AreOutputs) {
  const Graph graph = with_written_states(writing_graph(false));
  ASSERT_EQ(graph.outputs.size(), 2U);
  EXPECT_EQ(graph.outputs[1].name, kPresentRow);
  EXPECT_EQ(graph.outputs[1].value, graph.inputs[0].value);
  const LoweredModel lowered = lower_to_onnx(graph);
  EXPECT_EQ(lowered.outputs[1].name, kPresentRow);
  EXPECT_TRUE(is_scattered_into(lowered.model.graph, kPastRow, kPresentRow));
}

TEST(WrittenStates, KeepTheirMemoryWhereTheOldOnesAreRead) {
  const LoweredModel lowered = lower_to_onnx(with_written_states(writing_graph(true)));
  EXPECT_FALSE(is_scattered_into(lowered.model.graph, kPastRow, kPresentRow));
}

TEST(WrittenStates, ThatAreOnlyReadAreNone) {
  Builder b("reading", DType::kFloat32);
  const Tensor row = b.input(kPastRow, DType::kFloat32, {4}, {});
  b.output("after", b.call("aten.neg.default", {row}));
  EXPECT_EQ(with_written_states(b.finish()).outputs.size(), 1U);
}

TEST(WrittenStates, ThatAreMadeAnewAreNotScatteredInto) {
  Builder b("shifting", DType::kFloat32);
  const Tensor row = b.input(kPastRow, DType::kFloat32, {4}, {});
  b.call("aten.copy_.default", {row, b.call("aten.roll.default", {row, Shape{-1}, Shape{0}})});
  const LoweredModel lowered = lower_to_onnx(with_written_states(b.finish()));
  ASSERT_EQ(lowered.outputs.size(), 1U);
  EXPECT_FALSE(is_scattered_into(lowered.model.graph, kPastRow, lowered.outputs[0].name));
}

}  // namespace
}  // namespace nongemm::onnx
