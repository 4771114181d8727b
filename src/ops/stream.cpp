#include "ops/stream.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ops/foreign.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 7> kBookkeeping = {
    "aten::dropout",    "aten::alias", "aten::detach",     "aten::detach_",
    "aten::lift_fresh", "aten::empty", "aten::empty_like",
};

bool is_listed(const Graph& graph, const Node& node, const Op& op, IdleCasts idle_casts) {
  if (op.entry.group == Group::kControl) return false;
  if (std::find(kBookkeeping.begin(), kBookkeeping.end(), op.schema.name) != kBookkeeping.end()) return false;
  const bool keeps_storage = !node.outputs.empty() && graph.values[node.outputs[0]].type.alias;
  return idle_casts == IdleCasts::kListed || op.schema.name != "aten::to" || !keeps_storage;
}

/// "aten::add" of "aten.add.Tensor".
std::string dispatcher_name(const std::string& op) {
  return op.substr(0, op.find('.')) + "::" + std::string(base_name(op));
}

/// Appends nodes to a stream; `types` may know more than the graph does.
class Writer {
 public:
  Writer(const Graph& graph, IdleCasts idle_casts) : graph_(graph), idle_casts_(idle_casts) {
    types_.reserve(graph.values.size());
    for (const Value& value : graph.values) types_.push_back(value.type);
  }

  void write(NodeId id) {
    const Node& node = graph_.nodes[id];
    const Op* op = table_entry(node);
    if (op != nullptr && !is_listed(graph_, node, *op, idle_casts_)) return;
    StreamEntry entry{op != nullptr ? op->schema.name : dispatcher_name(node.op),
                      {},
                      graph_.scope_path(node.scope),
                      graph_.scopes[node.scope].type};
    for (const Argument& argument : node.args) {
      const auto* use = std::get_if<Use>(&argument);
      const bool tensor = use != nullptr && use->value != kNoId && types_[use->value].kind == Type::Kind::kTensor;
      entry.shapes.push_back(tensor ? types_[use->value].shape : Shape{});
    }
    stream_.push_back(std::move(entry));
  }

  void set_type(ValueId value, const Type& type) { types_[value] = type; }
  std::vector<StreamEntry> take() { return std::move(stream_); }

 private:
  const Graph& graph_;
  IdleCasts idle_casts_;
  std::vector<Type> types_;
  std::vector<StreamEntry> stream_;
};

/// Walks the graph without running it.
class Walk {
 public:
  Walk(const Graph& graph, IdleCasts idle_casts)
      : graph_(graph), writer_(graph, idle_casts), owed_(graph.nodes.size(), 0.5) {}

  void block(BlockId id) {
    for (const NodeId node : graph_.blocks[id].nodes) visit(node);
  }
  std::vector<StreamEntry> take() { return writer_.take(); }

 private:
  void visit(NodeId id) {
    const Node& node = graph_.nodes[id];
    if (node.blocks.empty()) {
      writer_.write(id);
    } else if (const auto* times = std::get_if<std::int64_t>(&node.args.at(1))) {
      for (std::int64_t i = 0; i < *times; ++i) block(node.blocks[0]);
    } else {
      // Of many visits the expected share takes the first block, evenly spread.
      owed_[id] += std::get<double>(node.args.at(1));
      const bool first = owed_[id] >= 1.0;
      if (first) owed_[id] -= 1.0;
      block(node.blocks[first ? 0 : 1]);
    }
  }

  const Graph& graph_;
  Writer writer_;
  std::vector<double> owed_;
};

}  // namespace

std::vector<StreamEntry> operator_stream(const Graph& graph, IdleCasts idle_casts) {
  Walk walk(graph, idle_casts);
  walk.block(kBodyBlock);
  return walk.take();
}

std::vector<StreamEntry> operator_stream(const Graph& graph, std::span<const ExecutedNode> executed,
                                         IdleCasts idle_casts) {
  // What a block gives becomes the result of its control node: a type that one gets, the other gets, too.
  std::vector<std::vector<ValueId>> becomes(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (const BlockId block : node.blocks) {
      const std::vector<ValueId>& results = graph.blocks[block].results;
      for (std::size_t i = 0; i < results.size(); ++i) {
        const bool loop = graph.values[node.outputs[i]].type.kind != graph.values[results[i]].type.kind;
        if (!loop) becomes[results[i]].push_back(node.outputs[i]);
      }
    }
  }
  Writer writer(graph, idle_casts);
  const auto set = [&](auto&& self, ValueId value, const Type& type) -> void {
    writer.set_type(value, type);
    for (const ValueId other : becomes[value]) self(self, other, type);
  };
  for (const ExecutedNode& call : executed) {
    writer.write(call.node);
    const std::vector<ValueId>& outputs = graph.nodes[call.node].outputs;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const bool seen = i < call.results.size() && graph.values[outputs[i]].type.kind == Type::Kind::kTensor;
      set(set, outputs[i], seen ? call.results[i] : graph.values[outputs[i]].type);
    }
  }
  return writer.take();
}

}  // namespace nongemm
