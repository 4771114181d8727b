// What a lowering rule works with: the operands of one graph node as ONNX values, and the ONNX nodes that compute its
// results. README.md says how to write a rule.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "onnx/constants.h"
#include "onnx/onnx_model.h"
#include "ops/op.h"
#include "ops/operands.h"

namespace nongemm {

/// How a graph is to be expressed in ONNX.
struct OnnxOptions {
  static constexpr int kOldestOpset = 13;
  static constexpr int kNewestOpset = 20;

  int opset = 17;
  /// Compound operators (LayerNormalization, Gelu, ...) as the arithmetic they consist of, even where the opset has
  /// them.
  bool decompose = false;
};

class OnnxLowering {
 public:
  /// The name of a value in the ONNX graph: what rules pass around.
  using Name = std::string;
  using Names = std::vector<Name>;
  using Attributes = std::vector<onnx::Attribute>;

  /// What the driver gives every rule.
  struct Context {
    const Graph& graph;
    OnnxOptions options;
    onnx::Constants& constants;
    /// The ONNX value that holds a graph value now.
    std::function<Name(ValueId)> name_of;
    /// A weight matrix with its dimensions exchanged, which is done when the model is written; empty for other values.
    std::function<Name(ValueId)> transposed_weight;
    /// A name for what lies between the ONNX nodes of a graph node, and for these nodes; never given twice.
    std::function<Name(NodeId)> new_temporary;
    std::function<Name(NodeId)> new_node_name;
  };

  /// @param named_after the graph node whose work this is, when it is not `node` itself
  OnnxLowering(const Context& context, NodeId node, const Op& op, NodeId named_after = kNoId);

  const Operands& operands() const { return operands_; }
  const Type& result_type(std::size_t i = 0) const { return context_.graph.values[node().outputs.at(i)].type; }
  /// A result whose dimensions the lowering counts on: the model's file states them, and they may be wrong.
  const Type& result_type(std::size_t i, std::size_t least_rank) const;
  std::size_t result_count() const { return node().outputs.size(); }
  bool at_least(int opset) const { return context_.options.opset >= opset; }
  /// Whether to use a compound operator that is there since `opset`.
  bool may_use_compound(int opset) const { return !context_.options.decompose && at_least(opset); }

  // --- operands -------------------------------------------------------------------------------------------------

  /// The ONNX value of a graph value.
  Name value(ValueId id) { return context_.name_of(id); }
  /// A tensor or a computed number.
  Name tensor(std::size_t i);
  /// A tensor, a computed number or a number, converted to `dtype`.
  Name tensor(std::size_t i, DType dtype);
  /// A list's elements; empty for absent ones.
  Names tensors(std::size_t i);
  /// A weight matrix, transposed without work at run time where that is possible.
  Name transposed(std::size_t i);
  /// An integer, known or computed: int64 without dimensions.
  Name integer(std::size_t i);
  /// The same with one dimension of size 1, as bounds and counts are given.
  Name integer_list_of_one(std::size_t i);
  /// A list of integers, known and computed ones mixed: int64 [n].
  Name integers(std::size_t i);
  Name integers(const std::vector<Int>& values);
  DType dtype_of(std::size_t i) const;

  // --- nodes ----------------------------------------------------------------------------------------------------

  Name add(std::string_view type, Names inputs, Attributes attributes = {});
  Names add_many(std::string_view type, Names inputs, std::size_t outputs, Attributes attributes = {});
  /// A node without results that are looked at here: an If, a Loop.
  void add_node(onnx::NodeDef node);

  Name scalar(double value, DType dtype) { return context_.constants.scalar(value, dtype); }
  Name integer_constant(std::int64_t value) { return context_.constants.scalar(value, DType::kInt64); }
  Name integer_constants(const std::vector<std::int64_t>& values) { return context_.constants.integers(values); }
  Name constant(const HostTensor& tensor) { return context_.constants.tensor(tensor); }

  Name cast(Name value, DType from, DType to);
  Name transpose(Name value, const std::vector<std::size_t>& order);
  Name unsqueeze(Name value, std::int64_t axis) { return unsqueeze(std::move(value), std::vector{axis}); }
  Name unsqueeze(Name value, const std::vector<std::int64_t>& axes);
  Name squeeze(Name value, std::int64_t axis);
  /// Elements [start, end) of a dimension, both int64 [1].
  Name slice(Name value, std::size_t axis, const Name& start, const Name& end, std::int64_t step = 1);
  Name gather(Name data, Name indices, std::size_t axis = 0);
  /// Element `i` of a dimension, which goes.
  Name pick(Name data, std::size_t i, std::size_t axis = 0);
  Name concat(Names values, std::int64_t axis);
  /// int64 [rank]
  Name shape_of(const Name& value) { return add("Shape", {value}); }
  /// Size of one dimension, int64 [1]: a constant where `type` knows it.
  Name size_of(const Name& value, const Type& type, std::size_t axis);
  /// Reshape to `shape`, in which at most one dimension is kDynamic.
  Name reshape(Name value, const Shape& shape);
  /// A reduction over some dimensions, with axes as the opset takes them.
  Name reduce(std::string_view type, Name value, const std::vector<std::int64_t>& axes, bool keep);

  // --- results --------------------------------------------------------------------------------------------------

  /// The next result. May be the name of an operand: a node that moves and computes nothing gives no ONNX node.
  void result(Name name) { results_.push_back(std::move(name)); }
  const Names& results() const { return results_; }
  std::vector<onnx::NodeDef>& nodes() { return nodes_; }

  /// Error(kUnsupported) that names the operator and its module. @param why "of a computed length"
  [[noreturn]] void unsupported(std::string_view why, std::string_view way_out = "") const;

  // --- writing through views --------------------------------------------------------------------------------------

  /// For OpEntry::lower_write: what the view's elements become.
  const Name& replacement() const { return replacement_; }
  void set_replacement(Name name) { replacement_ = std::move(name); }

  const Node& node() const { return operands_.node(); }

 private:
  const Context& context_;
  NodeId id_;
  Operands operands_;
  std::vector<onnx::NodeDef> nodes_;
  Names results_;
  Name replacement_;
};

/// Text as a template argument, for rules that differ in an operator's name only.
template <std::size_t kSize>
struct OnnxType {
  char text[kSize]{};
  constexpr OnnxType(const char (&from)[kSize]) { std::copy_n(from, kSize, text); }  // NOLINT: reads as text
};

}  // namespace nongemm
