// Bodies and functions; what they compute is compared with the originals in tests/import_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "import/onnx/file.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_writer;

struct NodeText {
  std::string domain;
  std::string type;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string name;
};

void write_node(pbf_writer& parent, std::uint32_t field, const NodeText& text, const std::string& body = "") {
  pbf_writer node(parent, field);
  for (const std::string& input : text.inputs) node.add_string(1, input);
  for (const std::string& output : text.outputs) node.add_string(2, output);
  node.add_string(3, text.name);
  node.add_string(4, text.type);
  node.add_string(7, text.domain);
  if (body.empty()) return;
  pbf_writer attribute(node, 5);
  attribute.add_string(1, "body");
  attribute.add_message(6, body);
}

void write_value(pbf_writer& graph, std::uint32_t field, const std::string& name, const std::vector<int>& shape,
                 int type = 1) {
  pbf_writer value(graph, field);
  value.add_string(1, name);
  pbf_writer tensor_type(value, 2);
  pbf_writer tensor(tensor_type, 1);
  tensor.add_int32(1, type);
  pbf_writer dims(tensor, 2);
  for (const int size : shape) {
    pbf_writer dim(dims, 1);
    dim.add_int64(1, size);
  }
}

void write_number(pbf_writer& graph, const std::string& name, std::int64_t number) {
  pbf_writer tensor(graph, 5);
  tensor.add_int32(2, 7);
  tensor.add_string(8, name);
  tensor.add_bytes(9, std::string(reinterpret_cast<const char*>(&number), sizeof number));
}

void write_opset(pbf_writer& root) {
  pbf_writer opset(root, 8);
  opset.add_int64(2, 17);
}

Graph graph_of(const std::string& bytes) {
  const std::shared_ptr<const std::byte> data(reinterpret_cast<const std::byte*>(bytes.data()),
                                              [](const std::byte*) {});
  return open_onnx(MappedFile::of(data, bytes.size(), "test.onnx"))->build({});
}

std::size_t count(const Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == op; }));
}

/// y = a loop of `turns` turns that negates its state.
std::string loop(std::int64_t turns) {
  std::string body;
  {
    pbf_writer graph(body);
    write_node(graph, 1, {"", "Identity", {"going"}, {"goes_on"}, ""});
    write_node(graph, 1, {"", "Neg", {"state"}, {"next"}, "/inner/Neg"});
    write_value(graph, 11, "turn", {}, 7);
    write_value(graph, 11, "going", {}, 9);
    write_value(graph, 11, "state", {2});
    write_value(graph, 12, "goes_on", {}, 9);
    write_value(graph, 12, "next", {2});
  }
  std::string bytes;
  pbf_writer root(bytes);
  write_opset(root);
  pbf_writer graph(root, 7);
  write_number(graph, "turns", turns);
  write_node(graph, 1, {"", "Loop", {"turns", "", "x"}, {"y"}, "/outer/Loop"}, body);
  write_value(graph, 11, "x", {2});
  write_value(graph, 12, "y", {2});
  return bytes;
}

TEST(OnnxLoop, OfKnownTurnsIsUnrolled) {
  const Graph graph = graph_of(loop(3));
  EXPECT_EQ(count(graph, "aten.neg.default"), 3U);
  EXPECT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.scope_path(graph.nodes[0].scope), "inner");
  // The loop, its condition, and the node of the body that became three.
  ASSERT_NE(graph.source, nullptr);
  ASSERT_EQ(graph.source->nodes.size(), 3U);
  EXPECT_TRUE(graph.source->nodes[0].empty());
  EXPECT_EQ(graph.source->nodes[2], (std::vector<NodeId>{0, 1, 2}));
}

TEST(OnnxLoop, OfTooManyTurnsStaysWhatItIs) {
  const Graph graph = graph_of(loop(std::int64_t{1} << 28));
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "onnx.Loop.default");
  EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{2}));
  EXPECT_EQ(graph.source->nodes[2], std::vector<NodeId>{0});  // the body is a part of it
}

TEST(OnnxLoop, WithoutAnEndIsBadInput) {
  try {
    graph_of(loop(std::int64_t{1} << 62));
    ADD_FAILURE() << "read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_THAT(error.what(), testing::HasSubstr("/outer/Loop"));
    EXPECT_THAT(error.what(), testing::HasSubstr("4611686018427387904 turns"));
  }
}

TEST(OnnxLoop, OfNoTurnGivesWhatItIsGiven) {
  const Graph graph = graph_of(loop(0));
  EXPECT_TRUE(graph.nodes.empty());
  EXPECT_EQ(graph.outputs.at(0).value, graph.inputs.at(0).value);
}

/// F0 calls F1 twice, F1 calls F2 twice, ...
std::string functions(int depth) {
  std::string bytes;
  pbf_writer root(bytes);
  write_opset(root);
  {
    pbf_writer graph(root, 7);
    write_node(graph, 1, {"own", "F0", {"x"}, {"y"}, "call"});
    write_value(graph, 11, "x", {2});
    write_value(graph, 12, "y", {2});
  }
  for (int i = 0; i < depth; ++i) {
    pbf_writer function(root, 25);
    function.add_string(1, "F" + std::to_string(i));
    function.add_string(4, "a");
    function.add_string(5, "c");
    const bool last = i + 1 == depth;
    const NodeText call{last ? "" : "own", last ? "Neg" : "F" + std::to_string(i + 1), {"a"}, {"b"}, ""};
    write_node(function, 7, call);
    write_node(function, 7, {call.domain, call.type, {"b"}, {"c"}, ""});
    function.add_string(10, "own");
  }
  return bytes;
}

TEST(OnnxFunctions, StandInThePlaceOfTheirCalls) {
  const Graph graph = graph_of(functions(3));
  EXPECT_EQ(count(graph, "aten.neg.default"), 8U);
  EXPECT_EQ(graph.source->nodes.at(0).size(), 8U);
  EXPECT_EQ(graph.scopes[graph.nodes[0].scope].type, "F2");
}

TEST(OnnxFunctions, ThatGrowExponentiallyAreNotFollowed) {
  try {
    graph_of(functions(40));
    ADD_FAILURE() << "it was followed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("when its calls are replaced"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace nongemm::onnx
