// The state of one lowering: what every value of the graph is called in the ONNX model at this point. Inside onnx/
// only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lowering/lower.h"
#include "lowering/storage.h"
#include "onnx/constants.h"

namespace nongemm::onnx {

class GraphLowering {
 public:
  GraphLowering(const Graph& graph, const OnnxOptions& options);

  LoweredModel lower();

 private:
  using Name = OnnxLowering::Name;

  /// What is known of a value now. A view is stale once its storage has been written to since it was taken.
  struct State {
    Name name;
    std::size_t version = 0;  // of the base: of a base itself, its writes so far
  };

  void add_ports();
  void name_weights_and_constants();
  Name name_of(ValueId value);
  Name transposed_weight(ValueId value);
  Name new_value_name(ValueId value);
  void set_name(ValueId value, Name name);

  void lower_nodes(BlockId block);
  void lower_node(NodeId id);
  void add_operator(NodeId id);
  /// Gives the results their values' names and moves the nodes to the graph under construction.
  void take(OnnxLowering& rule, const Node& node);
  /// The storage that `target` shares gets a new version in which target's elements are those of `name`.
  void write(NodeId writer, ValueId target, Name name);
  void new_version(ValueId base, Name name);

  // Control nodes (control.cpp).
  void lower_if(NodeId id);
  void lower_foreach(NodeId id);
  struct Subgraph;
  Subgraph open_subgraph(NodeId id);
  std::shared_ptr<GraphDef> close_subgraph(NodeId id, Subgraph opened, const std::vector<ValueId>& values);
  /// Names the node's results and adds it; storages in `written` get a new version.
  void add_results(NodeDef def, const std::vector<ValueId>& outputs, const std::vector<ValueId>& written,
                   bool written_first = false);

  void finish_outputs();

  const Graph& graph_;
  OnnxOptions options_;
  StorageMap storage_;
  Constants constants_;
  OnnxLowering::Context context_;
  LoweredModel result_;
  GraphDef* body_ = nullptr;  // under construction: the model's graph or a subgraph
  std::vector<State> states_;
  std::vector<std::size_t> weight_of_;  // by value: position in the graph's weights
  std::vector<int> node_names_;         // by graph node: given so far
  std::vector<int> temporaries_;
  std::vector<int> value_names_;
};

/// The type of an input or output, of the model or a block, as ONNX declares it.
ValueDef declared(const Graph& graph, const std::string& name, ValueId value);

/// Gives a value another name wherever it is used, in subgraphs too.
void rename_everywhere(GraphDef& graph, const std::string& from, const std::string& to);

/// Gives bodies of control nodes copies of the small integer constants that they use. ONNX's shape inference does not
/// look into the graph around a body, and rejects a model that needs an axis or a size from there.
void localise_constants(GraphDef& graph);

/// Removes nodes and initializers that no output needs, in subgraphs too.
void prune(GraphDef& graph);

}  // namespace nongemm::onnx
