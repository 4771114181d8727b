#include "passes/rewrite.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/op.h"

namespace nongemm::passes {
namespace {

class Rewriter {
 public:
  Rewriter(Graph graph, DType dtype, const std::map<NodeId, Replacement>& replacements, const std::set<NodeId>& gone)
      : builder_(graph.name, dtype), replacements_(replacements), gone_(gone), old_nodes_(std::move(graph.nodes)) {
    graph.nodes.clear();
    graph.source = nullptr;
    builder_.graph() = std::move(graph);
  }

  Graph run() {
    rebuild(kBodyBlock);
    return builder_.finish();
  }

 private:
  void rebuild(BlockId block) {
    const std::vector<NodeId> nodes = std::exchange(builder_.graph().blocks[block].nodes, {});
    for (const NodeId id : nodes) {
      const Node& node = old_nodes_[id];
      if (const auto replacement = replacements_.find(id); replacement != replacements_.end()) {
        const auto place = builder_.place(block, node.scope);
        take_place(node.outputs[0], replacement->second(builder_).id());
      } else if (gone_.contains(id)) {
        for (const ValueId output : node.outputs) builder_.graph().values[output] = Value();
      } else {
        keep(block, node);
      }
    }
  }

  void keep(BlockId block, Node node) {
    for (const BlockId inner : node.blocks) rebuild(inner);
    Graph& graph = builder_.graph();
    const auto id = static_cast<NodeId>(graph.nodes.size());
    for (const ValueId output : node.outputs) graph.values[output].producer = id;
    graph.blocks[block].nodes.push_back(id);
    graph.nodes.push_back(std::move(node));
  }

  /// Whoever used the old value goes on with it: the node that made the new one makes it now.
  void take_place(ValueId old, ValueId made) {
    Graph& graph = builder_.graph();
    std::vector<ValueId>& outputs = graph.nodes[graph.values[made].producer].outputs;
    std::replace(outputs.begin(), outputs.end(), made, old);
    graph.values[old] = std::exchange(graph.values[made], Value());
  }

  Builder builder_;
  const std::map<NodeId, Replacement>& replacements_;
  const std::set<NodeId>& gone_;
  std::vector<Node> old_nodes_;
};

/// Leaves out views, later ones first, whose results nobody uses any more: transposes of weights that are gone.
template <typename FellOutOfUse>
void drop_views(Graph& graph, std::vector<std::size_t>& uses, const FellOutOfUse& fell_out_of_use) {
  std::vector<NodeId> place(graph.nodes.size(), 0);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool view = !node.outputs.empty() && node.blocks.empty() && graph.values[node.outputs[0]].type.alias;
    const bool unused = view && std::all_of(node.outputs.begin(), node.outputs.end(), fell_out_of_use);
    const Op* op = unused ? OpTable::get().find(node.op) : nullptr;
    if (op == nullptr || op->schema.writes()) continue;
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { --uses[value]; });
    place[i] = kNoId;
  }
  std::vector<Node> kept;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (place[i] == kNoId) continue;
    place[i] = static_cast<NodeId>(kept.size());
    for (const ValueId output : graph.nodes[i].outputs) graph.values[output].producer = place[i];
    kept.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(kept);
  for (Block& block : graph.blocks) {
    for (NodeId& id : block.nodes) id = place[id];
    std::erase(block.nodes, kNoId);
  }
}

}  // namespace

std::vector<std::size_t> count_uses(const Graph& graph) {
  std::vector<std::size_t> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { ++uses[value]; });
  }
  for (const Block& block : graph.blocks) {
    for (const ValueId value : block.results) ++uses[value];
  }
  for (const Output& output : graph.outputs) ++uses[output.value];
  return uses;
}

Graph replace_nodes(Graph graph, DType dtype, const std::map<NodeId, Replacement>& replacements,
                    const std::set<NodeId>& gone) {
  const std::vector<std::size_t> before = count_uses(graph);
  Graph result = Rewriter(std::move(graph), dtype, replacements, gone).run();
  std::vector<std::size_t> uses = count_uses(result);
  // What nobody used before is there for a reason: operators that the original dispatches, entries of checkpoints.
  const auto fell_out_of_use = [&](ValueId value) {
    return value < before.size() && before[value] > 0 && uses[value] == 0;
  };
  drop_views(result, uses, fell_out_of_use);
  std::erase_if(result.weights, [&](const Weight& weight) { return fell_out_of_use(weight.value); });
  std::erase_if(result.constants, [&](const Constant& constant) { return fell_out_of_use(constant.value); });
  return result;
}

}  // namespace nongemm::passes
