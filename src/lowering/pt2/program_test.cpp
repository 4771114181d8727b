#include "lowering/pt2/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "base/zip.h"
#include "import/model_file.h"
#include "lowering/pt2/names.h"
#include "ops/builder.h"
#include "prepare/model.h"
#include "pt2/file.h"
#include "test_paths.h"

namespace nongemm {
namespace {

HostTensor zeros(DType dtype, const Shape& shape) {
  auto [tensor, bytes] = HostTensor::allocate(dtype, shape);
  std::fill_n(bytes, tensor.byte_size(), std::byte{0});
  return tensor;
}

/// Written, and read by the reader of .pt2 files. Weights are zeros: the graph is what is tried.
Graph there_and_back(const Graph& graph) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "model.pt2";
  std::vector<HostTensor> inputs;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    inputs.push_back(zeros(type.dtype, type.shape));
  }
  const auto give = [&](std::size_t i) {
    const Type& type = graph.values[graph.weights[i].value].type;
    return zeros(type.dtype, type.shape);
  };
  pt2::write_program(pt2::lower_to_pt2(graph), path, give, inputs);
  return open_model_file(path)->build({});
}

/// What the reader leaves out by itself: operators that give their operand as it is.
bool is_bookkeeping(const std::string& op) { return op == "aten.detach.default" || op == "aten.alias.default"; }

bool is_host(const Argument& argument) {
  const auto* word = std::get_if<std::string>(&argument);
  return std::holds_alternative<std::monostate>(argument) || (word != nullptr && *word == "cpu");
}

/// A node in words, with values named by what made them.
class Words {
 public:
  explicit Words(const Graph& graph, const std::vector<bool>& skipped) : graph_(graph), names_(graph.values.size()) {
    for (const Input& input : graph.inputs) names_[input.value] = "input";
    for (const Weight& weight : graph.weights) names_[weight.value] = weight.name;
    for (const Constant& constant : graph.constants) names_[constant.value] = "constant";
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      const Node& node = graph.nodes[id];
      if (is_bookkeeping(node.op)) {
        names_[node.outputs[0]] = names_[std::get<Use>(node.args[0]).value];
      } else if (!skipped[id]) {
        for (const ValueId value : node.outputs) names_[value] = std::to_string(count_) + "." + std::to_string(value);
        lines_.push_back(line(node));
        ++count_;
      }
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::string line(const Node& node) {
    std::string text = node.op + " in " + graph_.scope_path(node.scope);
    for (const Argument& argument : node.args) {
      if (!is_host(argument)) text += " " + std::to_string(argument.index());
      if (const auto* number = std::get_if<std::int64_t>(&argument)) text += "=" + std::to_string(*number);
      if (const auto* number = std::get_if<double>(&argument)) text += "=" + std::to_string(*number);
      // Where something is to run is not read: it runs where the run is.
      const auto* word = std::get_if<std::string>(&argument);
      if (word != nullptr && *word != "cpu") text += "=" + *word;
      if (const auto* ints = std::get_if<std::vector<Int>>(&argument)) {
        for (const Int& one : *ints) text += "," + std::to_string(one.value);
      }
      for_each_use(argument, [&](ValueId value) { text += " %" + place(value); });
    }
    for (const ValueId value : node.outputs) {
      const Type& type = graph_.values[value].type;
      text += " -> " + std::string(name_of(type.dtype)) + to_string(type.shape) + (type.alias ? "view" : "") +
              to_string(is_contiguous(type) ? Shape() : type.strides);
    }
    return text;
  }

  /// Which result of which node: ids of values may differ.
  std::string place(ValueId value) const {
    const NodeId producer = graph_.values[value].producer;
    if (producer == kNoId || is_bookkeeping(graph_.nodes[producer].op)) return names_[value];
    const std::vector<ValueId>& outputs = graph_.nodes[producer].outputs;
    const auto at = std::find(outputs.begin(), outputs.end(), value) - outputs.begin();
    return names_[value].substr(0, names_[value].find('.')) + "#" + std::to_string(at);
  }

  const Graph& graph_;
  std::vector<std::string> names_;
  std::vector<std::string> lines_;
  int count_ = 0;
};

void expect_same(const Graph& graph) {
  const Graph back = there_and_back(graph);
  const std::vector<std::string> wanted = Words(graph, pt2::left_out(graph)).lines();
  const std::vector<std::string> found = Words(back, std::vector<bool>(back.nodes.size(), false)).lines();
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_EQ(found[i], wanted[i]) << "node " << i;
  ASSERT_EQ(back.outputs.size(), graph.outputs.size());
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    EXPECT_EQ(back.outputs[i].name, graph.outputs[i].name);
    EXPECT_EQ(back.values[back.outputs[i].value].type.shape, graph.values[graph.outputs[i].value].type.shape);
  }
  ASSERT_EQ(back.inputs.size(), graph.inputs.size());
  ASSERT_EQ(back.weights.size(), graph.weights.size());
  for (std::size_t i = 0; i < graph.weights.size(); ++i) {
    EXPECT_EQ(back.weights[i].name, graph.weights[i].name);
    EXPECT_EQ(back.weights[i].buffer, graph.weights[i].buffer);
  }
}

/// Tiny models of all families: those that numerics are tried with, and those of the shared fixtures.
class OfFamily : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(OfFamily, IsReadBackNodeForNode) {
  const Graph graph = build_graph(find_model(GetParam().string()), {});
  if (pt2::obstacles(graph).empty()) {
    expect_same(graph);
  } else {
    EXPECT_NE(GetParam().string().find("rcnn"), std::string::npos) << "only an R-CNN has control flow";
  }
}

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> folders;
  for (const char* place : {NONGEMM_SOURCE_DIR "/tests/data/numerics", NONGEMM_SHARED_DIR "/fixtures/families"}) {
    for (const auto& entry : std::filesystem::directory_iterator(place)) {
      if (std::filesystem::exists(entry.path() / "config.json")) folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

INSTANTIATE_TEST_SUITE_P(Tiny, OfFamily, testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Pt2Program, OfARegistrysModelIsReadBack) { expect_same(build_graph(find_model("swin-t"), {})); }

TEST(Pt2Program, NamesWhatTorchExportHasNot) {
  const Model model = find_model("fasterrcnn");
  try {
    pt2::lower_to_pt2(build_graph(model, {}));
    FAIL() << "control flow was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("nongemm.foreach.default"), std::string::npos) << error.what();
  }
}

TEST(Pt2Program, NamesCarryNodes) {
  const Graph graph = build_graph(find_model("swin-t"), {});
  for (NodeId id = 0; id < graph.nodes.size(); ++id) EXPECT_EQ(pt2::node_in_name(pt2::node_name(graph, id)), id);
  EXPECT_EQ(pt2::node_in_name("n12_split_1"), 12U);
  for (const char* name : {"n12", "linear_1", "nonzero", "x12_add", ""}) EXPECT_FALSE(pt2::node_in_name(name)) << name;
}

TEST(Pt2Program, StoresATiedWeightOnce) {
  Builder builder("tied", DType::kFloat32);
  const Tensor x = builder.input("x", DType::kFloat32, {2, 4}, {});
  const Tensor all = builder.parameter("all", {8, 4}, {});
  const Tensor half = builder.parameter("half", {4, 4}, {});
  builder.output("y", builder.call("aten.linear.default", {builder.call("aten.linear.default", {x, half}), all}));
  const Graph graph = builder.finish();
  HostTensor storage = zeros(DType::kFloat32, {8, 4});
  HostTensor lower = storage;
  lower.shape = {4, 4};
  lower.data = {storage.data, storage.data.get() + 64};
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "tied.pt2";
  pt2::write_program(pt2::lower_to_pt2(graph), path, [&](std::size_t i) { return i == 0 ? storage : lower; },
                     {zeros(DType::kFloat32, {2, 4})});
  const ZipArchive archive(MappedFile::open(path));
  EXPECT_NE(archive.find("model/data/weights/weight_0"), nullptr);
  EXPECT_EQ(archive.find("model/data/weights/weight_1"), nullptr);
  const Json config = Json::parse(archive.read(*archive.find("model/data/weights/model_weights_config.json")).text());
  EXPECT_EQ(config["config"]["half"]["tensor_meta"]["storage_offset"]["as_int"], 16);
  const auto file = open_model_file(path);
  EXPECT_EQ(file->weights(file->build({})).at(1).shape, (Shape{4, 4}));
}

}  // namespace
}  // namespace nongemm
