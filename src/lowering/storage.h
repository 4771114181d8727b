// Which values of a graph share memory, so that operators that write in place can be expressed in ONNX, where every
// value is written once: a write gives the written storage a new version, and its views are taken anew from that.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace nongemm::onnx {

class StorageMap {
 public:
  explicit StorageMap(const Graph& graph);

  /// The value that stands for this one: an operator that works in place returns its operand, and a branch that only
  /// asks whether a slice would cut anything gives the slice.
  ValueId same(ValueId value) const { return same_[value]; }
  /// The value whose storage it shares; itself when it has its own.
  ValueId base(ValueId value) const { return base_[same_[value]]; }
  /// Of a value that is a view: what it is a view of.
  ValueId viewed(ValueId value) const { return viewed_[same_[value]]; }
  /// Storages from outside that a block or a block inside it writes to, in ascending order.
  std::vector<ValueId> written_from_outside(const std::vector<BlockId>& blocks) const;

 private:
  void read_block(BlockId block);
  void read_node(const Node& node);
  void collect_writes(BlockId block, std::vector<ValueId>& written, std::vector<bool>& inside) const;

  const Graph& graph_;
  std::vector<ValueId> same_;
  std::vector<ValueId> base_;
  std::vector<ValueId> viewed_;
};

/// The value an operator writes into, kNoId for others.
ValueId written_operand(const Graph& graph, const Node& node);

/// `if slice_cuts(x, ...): x = x[...]`: the same as the slice, which ONNX takes as it is.
bool is_optional_slice(const Graph& graph, const Node& node);

}  // namespace nongemm::onnx
