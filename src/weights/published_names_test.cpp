// Checkpoints as they are published bind to today's models: tests/reference/make_published_names.py.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "prepare/model.h"
#include "test_paths.h"
#include "weights/binding.h"

namespace nongemm::weights {
namespace {

namespace fs = std::filesystem;

const fs::path kTests = fs::path(NONGEMM_SOURCE_DIR) / "tests";

Checkpoint checkpoint_of(const std::string& form, const nlohmann::json& shapes) {
  NamedTensors tensors;
  for (const auto& [name, shape] : shapes.items()) {
    // Values do not matter, but tied weights have to have the same; indices that the model computes itself are ignored
    // whatever their type.
    auto [tensor, bytes] = HostTensor::allocate(DType::kFloat32, shape.get<Shape>());
    std::memset(bytes, 0, tensor.byte_size());
    tensors.emplace_back(name, std::move(tensor));
  }
  return {form, "test", std::move(tensors)};
}

class PublishedNamesTest : public testing::TestWithParam<const char*> {};

TEST_P(PublishedNamesTest, Bind) {
  const fs::path path = kTests / "fixtures/weights/published" / (std::string(GetParam()) + ".json");
  const nlohmann::json published = nlohmann::json::parse(read_file(path, 1'000'000));
  const std::string folder = (kTests / "data/numerics" / published["case"].get<std::string>()).string();
  Graph graph;
  try {
    graph = build_graph(find_model(folder), ModelOptions{});
  } catch (const Error& error) {
    FAIL() << error.what();
  }
  for (const auto& [form, shapes] : published["forms"].items()) {
    SCOPED_TRACE(form);
    try {
      const std::vector<WeightSpec> specs = weight_specs(graph);
      const BoundWeights bound = bind_weights(specs, graph.checkpoint_rules, checkpoint_of(form, shapes), GetParam());
      EXPECT_EQ(bound.tensors.size(), specs.size());
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, PublishedNamesTest,
                         testing::Values("bert", "detr", "fasterrcnn", "gpt2", "llama", "maskrcnn", "segformer", "vit"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace nongemm::weights
