#include "prepare/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kVocabulary = 10;

/// A graph that takes two tokens and returns nothing.
Graph graph_of_tokens() {
  Graph graph;
  graph.values.emplace_back();
  graph.values[0].type.dtype = DType::kInt64;
  graph.values[0].type.shape = {1, 2};
  Input input;
  input.value = 0;
  input.name = "input_ids";
  input.kind = {InputKind::Content::kTokens, kVocabulary};
  graph.inputs.push_back(input);
  return graph;
}

DataBatch batch_of(const std::vector<std::int64_t>& ids) {
  DataBatch batch;
  const auto count = static_cast<std::int64_t>(ids.size());
  batch.tensors.emplace_back("input_ids", HostTensor::from(DType::kInt64, {1, count}, ids));
  return batch;
}

std::string message_of(const DataBatch& batch) {
  try {
    prepare_inputs(graph_of_tokens(), &batch, 0);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "no error";
}

TEST(PrepareInputs, DataGoesToTheInputsOfItsNames) {
  const DataBatch batch = batch_of({0, kVocabulary - 1});
  const PreparedInputs inputs = prepare_inputs(graph_of_tokens(), &batch, 0);
  ASSERT_EQ(inputs.tensors.size(), 1u);
  EXPECT_EQ(inputs.tensors[0].as<std::int64_t>()[1], kVocabulary - 1);
}

TEST(PrepareInputs, TokensOfAnotherModelAreRefused) {
  EXPECT_THAT(message_of(batch_of({0, kVocabulary})), HasSubstr("holds token 10, the model knows 10 tokens"));
}

TEST(PrepareInputs, ShapesHaveToFit) { EXPECT_THAT(message_of(batch_of({0, 1, 2})), HasSubstr("has shape [1, 3]")); }

Graph graph_of_weights(std::int64_t elements) {
  Graph graph;
  for (const char* name : {"a", "b"}) {
    graph.values.emplace_back();
    graph.values.back().type.dtype = DType::kFloat32;
    graph.values.back().type.shape = {elements};
    Weight weight;
    weight.value = static_cast<ValueId>(graph.values.size() - 1);
    weight.name = name;
    graph.weights.push_back(weight);
  }
  return graph;
}

TEST(CheckHostMemory, WeightsToDrawNeedMemory) {
  PreparedWeights weights;
  weights.tensors.resize(2);
  EXPECT_NO_THROW(check_host_memory(graph_of_weights(10), weights));
  try {
    check_host_memory(graph_of_weights(std::int64_t{1} << 48), weights);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutOfMemory);
    EXPECT_THAT(error.what(), HasSubstr("needs about 2251799.8 GB"));
  }
}

TEST(CheckHostMemory, WeightsOfACheckpointAreThereAlready) {
  PreparedWeights weights;
  weights.tensors.assign(2, HostTensor::from(DType::kFloat32, {1}, std::vector<float>{0}));
  EXPECT_NO_THROW(check_host_memory(graph_of_weights(std::int64_t{1} << 48), weights));
}

}  // namespace
}  // namespace nongemm
