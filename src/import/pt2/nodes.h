// The nodes of an exported program as the graph's.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "import/common/scopes.h"
#include "import/pt2/arguments.h"
#include "import/pt2/symbols.h"
#include "ops/op.h"

namespace nongemm::pt2 {

/// Computes what is known before the run (sizes, checks of sizes) and adds nodes for the rest. Sub-graphs of
/// higher-order operators that only wrap them (no_grad) are read in place.
class NodeReader {
 public:
  /// @param names of the program's inputs; those of its nodes are added
  NodeReader(Graph& graph, const Symbols& symbols, Names& names)
      : graph_(graph), symbols_(symbols), names_(&names), scopes_(graph) {}

  /// @throws Error that names the node and its module
  void read(const nlohmann::json& body);

  /// A tensor for an output: numbers become one. Nothing for None and texts.
  std::optional<ValueId> output_value(const Argument& argument);

 private:
  /// One result of a node in the file.
  struct Output {
    std::string name;  // empty for None
    std::string_view tag;
  };

  void read_node(const nlohmann::json& node);
  bool skip(std::string_view target, const nlohmann::json& node);
  bool fold(const std::vector<Output>& outputs);
  bool pass_through(std::string_view op, const nlohmann::json& node, const std::vector<Output>& outputs);
  void add_host_arithmetic(const std::string& target, const nlohmann::json& node, const std::vector<Output>& outputs);
  void add_operator(const std::string& op, const nlohmann::json& node, const std::vector<Output>& outputs);
  std::optional<std::vector<Argument>> table_arguments(const Op& op, const nlohmann::json& inputs) const;
  void add_node(Node node, const std::vector<Type>& types, const std::vector<Output>& outputs);

  void read_higher_order(std::string_view name, const nlohmann::json& node, const std::vector<Output>& outputs);
  void read_in_place(const nlohmann::json& graph, const std::vector<const nlohmann::json*>& operands,
                     const std::vector<Output>& outputs);

  std::vector<Output> outputs_of(const nlohmann::json& node) const;
  const nlohmann::json* symbolic_value(const Output& output) const;
  Type type_of(const Output& output) const;

  Graph& graph_;
  const Symbols& symbols_;
  Names* names_;
  Scopes scopes_;
  const nlohmann::json* body_ = nullptr;
  ScopeId scope_ = kRootScope;
  /// Numbers of the current body that something beside checks uses.
  std::set<std::string, std::less<>> needed_;
  int depth_ = 0;
};

}  // namespace nongemm::pt2
