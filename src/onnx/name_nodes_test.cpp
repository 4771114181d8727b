#include "onnx/name_nodes.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>
#include <set>

#include "base/error.h"
#include "onnx/messages.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_writer;

void add_node(pbf_writer& graph, std::uint32_t field, const std::string& name, const std::string& output,
              const std::string& type = "Relu") {
  pbf_writer node(graph, field);
  node.add_string(2, output);
  if (!name.empty()) node.add_string(3, name);
  node.add_string(4, type);
}

/// A graph with nodes of these names, one of which has a body with a nameless node, and a function with another.
std::string model(const std::vector<std::string>& names, bool with_body) {
  std::string bytes;
  pbf_writer root(bytes);
  root.add_string(2, "a producer");
  {
    pbf_writer graph(root, 7);
    for (const std::string& name : names) add_node(graph, 1, name, "y");
    if (with_body) {
      pbf_writer node(graph, 1);
      node.add_string(3, "outer");
      node.add_string(4, "Loop");
      pbf_writer attribute(node, 5);
      attribute.add_string(1, "body");
      pbf_writer body(attribute, 6);
      add_node(body, 1, "", "z");
    }
    pbf_writer tensor(graph, 5);
    tensor.add_string(8, "w");
    tensor.add_bytes(9, std::string("\0\1\2", 3));
  }
  if (with_body) {
    pbf_writer function(root, 25);
    function.add_string(1, "F");
    add_node(function, 7, "", "f");
  }
  return bytes;
}

std::vector<std::string> names_in(const std::string& bytes) {
  std::vector<std::string> names;
  const ModelMessage message = read_model_message(bytes);
  std::vector<std::string_view> nodes = read_graph_message(message.graph).nodes;
  for (const std::string_view function : message.functions) {
    for (const std::string_view node : read_function_message(function).nodes) nodes.push_back(node);
  }
  for (const std::string_view node : nodes) {
    const NodeMessage read = read_node_message(node);
    names.push_back(read.name);
    for (const std::string_view body : bodies_of(read)) {
      for (const std::string_view inner : read_graph_message(body).nodes)
        names.push_back(read_node_message(inner).name);
    }
  }
  return names;
}

TEST(NamedNodes, LeavesAModelAsItIsWhereAllHaveOne) { EXPECT_EQ(with_named_nodes(model({"a", "b"}, false)), ""); }

TEST(NamedNodes, NamesWhatHasNoneOrAnothers) {
  const std::string given = model({"a", "", "a", "Relu_1"}, true);
  const std::string named = with_named_nodes(given);
  const std::vector<std::string> names = names_in(named);
  ASSERT_EQ(names.size(), 7U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 7U);
  EXPECT_FALSE(std::set<std::string>(names.begin(), names.end()).contains(""));
  EXPECT_EQ(names[0], "a");
  EXPECT_EQ(names[3], "Relu_1");
  EXPECT_EQ(names[4], "outer");
  // All else is still there.
  EXPECT_EQ(with_named_nodes(named), "");
  EXPECT_EQ(read_model_message(named).producer, "a producer");
  const GraphMessage graph = read_graph_message(read_model_message(named).graph);
  EXPECT_EQ(graph.initializers, read_graph_message(read_model_message(given).graph).initializers);
}

TEST(NamedNodes, ReplacesWhatRuntimesWriteWithoutEscapingIt) {
  const std::vector<std::string> names =
      names_in(with_named_nodes(model({"a\"b", "c\\d", "e\nf", "\x1b[31m", "ok/é", "plain"}, false)));
  EXPECT_EQ(names, (std::vector<std::string>{"Relu_1", "Relu_2", "Relu_3", "Relu_4", "Relu_5", "plain"}));
}

TEST(NamedNodes, NamesOperatorsOfOddCharactersInPlainOnes) {
  std::string bytes;
  {
    pbf_writer root(bytes);
    pbf_writer graph(root, 7);
    add_node(graph, 1, "", "y", "Re\"l\nu");
  }
  const std::string named = with_named_nodes(bytes);
  EXPECT_EQ(names_in(named), (std::vector<std::string>{"Re_l_u_1"}));
  EXPECT_EQ(with_named_nodes(named), "");
}

TEST(NamedNodes, RefusesWhatIsNoModel) { EXPECT_THROW(with_named_nodes("no model"), Error); }

}  // namespace
}  // namespace nongemm::onnx
