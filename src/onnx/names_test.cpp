#include "onnx/names.h"

#include <gmock/gmock.h>

namespace nongemm::onnx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Graph graph_with_scope(std::vector<std::string> path) {
  Graph graph;
  for (const std::string& name : path) {
    graph.scopes.push_back({.parent = static_cast<ScopeId>(graph.scopes.size() - 1), .name = name, .type = "Module"});
  }
  graph.values.push_back({.type = {}, .producer = kNoId});
  graph.values.push_back({.type = {}, .producer = 0});
  Node node;
  node.op = "aten.layer_norm.default";
  node.outputs = {1};
  node.scope = static_cast<ScopeId>(graph.scopes.size() - 1);
  graph.nodes.push_back(std::move(node));
  return graph;
}

TEST(Names, CarryNodeScopeAndOperator) {
  const Graph graph = graph_with_scope({"h", "0", "ln_1"});
  EXPECT_EQ(node_name(graph, 0), "n0/h.0.ln_1/aten.layer_norm");
  EXPECT_EQ(node_name(graph, 0, 3), "n0/h.0.ln_1/aten.layer_norm.3");
  EXPECT_EQ(value_name(graph, 1), "n0/v1");
  EXPECT_EQ(value_name(graph, 0), "c0");
  EXPECT_EQ(temporary_name(7, 2), "n7/t2");
}

TEST(Names, ScopesCannotBeTakenForIds) {
  for (const auto& path : {std::vector<std::string>{"n7"}, {"block", "n7"}, {"a/n7", "b"}, {"x", "a_n7"}}) {
    EXPECT_THAT(graph_nodes_in(node_name(graph_with_scope(path), 0)), ElementsAre(0)) << path.back();
  }
}

TEST(Names, AreFoundInWhatRuntimesPrint) {
  EXPECT_THAT(graph_nodes_in("PWN(PWN(n12/h.0/aten.add), n3//aten.mul.2) + n12/h.0/aten.add"), ElementsAre(3, 12));
  EXPECT_THAT(graph_nodes_in("{ForeignNode[n3//aten.pow...n9//aten.add]}"), ElementsAre(3, 9));
  EXPECT_THAT(graph_nodes_in("InsertedPrecisionFreeCast_n5/v17_token_3"), ElementsAre(5));
  EXPECT_THAT(graph_nodes_in("n5/v17_n6/v18"), ElementsAre(5, 6));
}

TEST(Names, AreNotFoundElsewhere) {
  for (const char* text :
       {"", "n", "n12", "run12/x", "n/12", "n99999999999999999999/x", "Attention_0", "c12", "n-1/x"}) {
    EXPECT_THAT(graph_nodes_in(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace nongemm::onnx
