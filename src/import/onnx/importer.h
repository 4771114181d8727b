// Makes a graph of an ONNX model: nodes by their rules (onnx_call.h), bodies and functions in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "import/common/model_file.h"
#include "import/common/scopes.h"
#include "import/onnx/call.h"
#include "import/onnx/model.h"
#include "ops/builder.h"

namespace nongemm::onnx {

class Importer {
 public:
  Importer(const ReadModel& model, const ImportOptions& options);

  Graph build();
  /// By node of the file (ReadNode::position): the graph's nodes that it became.
  const std::vector<std::vector<NodeId>>& nodes_of_file() const { return nodes_of_file_; }

 private:
  /// What a parameter of a body is bound to.
  struct Bound {
    Tensor tensor;
    std::optional<KnownValue> known;
  };

  // --- inputs and outputs ---
  const InputBinding* binding_of(const std::string& name) const;
  std::int64_t bind(const std::string& input, const ReadValue& value, std::size_t dim, const InputBinding* binding);
  Shape input_shape(const std::string& name, const InputBinding* binding);
  void add_inputs();
  void add_outputs();

  // --- nodes ---
  void read(const ReadNode& node);
  void read_resolved(const ReadNode& node);
  void map(OnnxCall& call, const ReadNode& node);
  bool folds(const OnnxCall& call, const ReadNode& node);
  void take_back(std::size_t nodes, std::size_t blocks);
  void keep(OnnxCall& call, const ReadNode& node);
  Type type_of_kept(OnnxCall& call, const ReadNode& node, std::size_t output);
  void note_origin(const ReadNode& node, std::size_t first);
  ScopeId scope_of(const ReadNode& node);

  // --- bodies and functions (onnx_control.cpp) ---
  /// Whether the node is one that contains others, and was expanded. @throws NotMapped, Error
  bool expand(OnnxCall& call, const ReadNode& node);
  void branch(OnnxCall& call, const ReadNode& node);
  void loop(OnnxCall& call, const ReadNode& node);
  void scan(OnnxCall& call, const ReadNode& node);
  void inline_function(OnnxCall& call, const ReadNode& node, const ReadFunction& function);
  void read_body(const ReadGraph& body);
  Bound look_up(const std::string& name);
  Tensor tensor_named(const std::string& name);
  void give(OnnxCall& call, Bound bound, std::size_t output);
  /// Counts what bodies and functions add beyond what stands in the file. @throws NotMapped when it is too much
  void spend(std::size_t nodes);
  std::vector<std::string> captured(const ReadNode& node);

  /// Whether all results that something in the file uses have been given.
  bool all_given(const ReadNode& node);
  void note_uses(const ReadGraph& graph);

  const ReadModel& model_;
  const ImportOptions& options_;
  Builder builder_;
  pt2::Scopes scopes_;
  OnnxNames names_;
  std::map<std::string, std::int64_t> sizes_;  // by the name of a free size
  std::int64_t opset_ = 0;
  std::size_t spent_ = 0;
  std::size_t folded_numbers_ = 0;
  std::set<std::string> used_;  // names of values that nodes of the file take, or that are results of a graph
  std::string function_scope_;  // around nodes of functions, as pt2::Scopes wants it
  std::vector<bool> noted_;     // by graph node: whether its origin is known
  std::vector<std::vector<NodeId>> nodes_of_file_;
};

}  // namespace nongemm::onnx
