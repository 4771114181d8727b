#include "passes/tensor_parallel/tensor_parallel.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "graph/state.h"
#include "ops/builder.h"
#include "ops/communication.h"
#include "ops/op.h"
#include "ops/routing.h"
#include "passes/rewrite.h"
#include "passes/tensor_parallel/cut_weights.h"
#include "passes/tensor_parallel/plan.h"
#include "passes/tensor_parallel/rules.h"
#include "passes/tensor_parallel/state_cuts.h"

namespace nongemm::passes {
namespace {

Shape share_of(Shape shape, const Placement& placement, std::int64_t ranks) {
  if (placement.is_cut()) shape[placement.dim] /= ranks;
  return shape;
}

class Splitter {
 public:
  /// @param states placements of states that are known from an attempt before
  Splitter(const Graph& whole, CutWeights cuts, CutStates states, const RankPlace& place)
      : whole_(whole),
        cuts_(std::move(cuts)),
        states_(whole, std::move(states)),
        ranks_(place.ranks),
        rank_(place.rank),
        uses_(count_uses(whole)),
        builder_(whole.name, DType::kFloat32),
        preparation_(whole.name, DType::kFloat32),
        placements_(whole.values.size()),
        placement_([this](ValueId value) -> const Placement& { return placements_[value]; }) {}

  Graph run() {
    Graph& local = builder_.graph();
    local = whole_;
    local.nodes.clear();
    local.source = nullptr;
    preparation_.graph().checkpoint_rules = whole_.checkpoint_rules;
    for (const Weight& weight : whole_.weights) cut(weight);
    for (const auto& [state, placement] : states_.known()) put(state, placement);
    local.preparation = std::make_shared<const Graph>(preparation_.finish());
    for (Block& block : local.blocks) block.nodes.clear();
    take(kBodyBlock);
    for (Output& output : local.outputs) {
      const auto place = builder_.place(kBodyBlock, kRootScope);
      output.value = output.name.starts_with(kPresent) ? kept(output.value) : made_whole(output.value);
    }
    describe(local);
    return builder_.finish();
  }

  const CutStates& states() const { return states_.known(); }
  /// States turned out to be cut after something had been made of them as if they were not.
  bool has_to_begin_anew() const { return states_.came_late(); }

 private:
  void put(ValueId value, const Placement& placement) {
    placements_[value] = placement;
    Shape& shape = builder_.graph().values[value].type.shape;
    shape = share_of(whole_.values[value].type.shape, placement, ranks_);
  }

  /// Also says how its part is taken of the checkpoint's.
  void cut(const Weight& weight) {
    const Type whole = builder_.graph().values[weight.value].type;
    const Tensor stored = preparation_.parameter(weight.name, whole.dtype, whole.shape, weight.init);
    Weight& in_checkpoint = preparation_.graph().weights.back();
    in_checkpoint.aliases = weight.aliases;
    in_checkpoint.buffer = weight.buffer;
    const auto found = cuts_.placements.find(weight.value);
    if (found == cuts_.placements.end()) return;
    const Placement& placement = found->second;
    placements_[weight.value] = placement;
    const auto dim = static_cast<std::int64_t>(placement.dim);
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (const std::int64_t piece : placement.pieces) {
      const std::int64_t at = begin + rank_ * (piece / ranks_);
      parts.push_back(preparation_.call("aten.slice.Tensor", {stored, dim, at, at + piece / ranks_, 1}));
      begin += piece;
    }
    preparation_.output(weight.name,
                        parts.size() == 1 ? parts[0] : preparation_.call("aten.cat.default", {parts, dim}));
    builder_.graph().values[weight.value].type.shape = share_of(whole.shape, placement, ranks_);
  }

  void describe(Graph& local) const {
    std::string whole;
    for (const std::string& left : cuts_.left_whole) whole += (whole.empty() ? "" : "; ") + left;
    if (!whole.empty()) local.attributes["not cut"] = whole;
  }

  void take(BlockId block) {
    for (const NodeId id : whole_.blocks[block].nodes) {
      const auto place = builder_.place(block, whole_.nodes[id].scope);
      take_node(block, id);
    }
  }

  void take_node(BlockId block, NodeId id) {
    Node node = whole_.nodes[id];
    for (const auto& [value, placement] : states_.meet(node, placement_)) put(value, placement);
    bool cut = cuts_.of_whole_weight.contains(id);
    std::vector<ValueId> partial;
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId value) {
        cut = cut || placements_[value].is_cut();
        if (placements_[value].is_partial() && !reduced_.contains(value)) partial.push_back(value);
      });
    }
    if (partial.size() == 1 && in_experts(node) && keeps_partial(whole_, node, partial[0]) && !cut) {
      for (const ValueId output : node.outputs) placements_[output] = Placement::partial();
      return add(block, std::move(node));
    }
    for (const ValueId value : partial) reduced_.emplace(value, reduce(Tensor(&builder_, value)).id());
    if (!cut) return keep(block, std::move(node));
    take_cut(block, id, node);
  }

  /// As it is, its blocks likewise.
  void keep(BlockId block, Node node) {
    for (const BlockId inner : node.blocks) take(inner);
    for (const BlockId inner : node.blocks) {
      for (ValueId& result : builder_.graph().blocks[inner].results) {
        if (!placements_[result].is_whole()) fail(node, "what a branch or a loop gives is cut");
      }
    }
    add(block, std::move(node));
  }

  /// Sums of experts' rows are exchanged once they are summed by token, which are fewer.
  bool in_experts(const Node& node) const {
    for (ScopeId scope = node.scope; scope != kRootScope; scope = whole_.scopes[scope].parent) {
      if (whole_.scopes[scope].name == "experts" || holds_experts(whole_.scopes[scope].type)) return true;
    }
    return false;
  }

  void take_cut(BlockId block, NodeId id, const Node& node) {
    const Op* op = OpTable::get().find(node.op);
    CutRule rule = op != nullptr && node.blocks.empty() ? find_cut_rule(*op) : nullptr;
    if (rule == nullptr) fail(node, "nothing says how it is computed in parts");
    const Placement whole_weight = use_rows_of_whole_weight(id);
    CutNode step(whole_, node, *op, ranks_, placement_);
    rule(step);
    if (cuts_.of_whole_weight.contains(id)) {
      placements_[weight_of(id)] = whole_weight;
      step.narrowed.push_back({weight_place(id), rows_dim(id)});
    }
    for (const CutNode::Narrowed& narrowed : step.narrowed) narrow(step.node.args[narrowed.position], narrowed.dim);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) placements_[node.outputs[i]] = step.results[i];
    const bool gathered = cuts_.gathered.contains(id);
    const bool summed = step.results[0].is_partial() && !in_experts(node);
    if (!gathered && !summed) return add(block, std::move(step.node));
    // The node's own value is the last one's: whoever used it goes on with it.
    const ValueId value = node.outputs[0];
    builder_.graph().values.emplace_back();
    const auto raw = static_cast<ValueId>(builder_.graph().values.size() - 1);
    step.node.outputs = {raw};
    add(block, std::move(step.node));
    Tensor result(&builder_, raw);
    result = gathered ? gather(result, step.results[0].dim) : reduce(result);
    if (step.bias) result = builder_.call("aten.add.Tensor", {result, Tensor(&builder_, *step.bias)});
    take_place(value, result.id());
    placements_[value] = Placement();
  }

  /// A head that is tied to an embedding takes its rows of it.
  Placement use_rows_of_whole_weight(NodeId id) {
    if (!cuts_.of_whole_weight.contains(id)) return {};
    const ValueId weight = weight_of(id);
    return std::exchange(placements_[weight],
                         Placement::cut(rows_dim(id), {whole_.values[weight].type.shape[rows_dim(id)]}));
  }
  std::size_t weight_place(NodeId id) const { return whole_.nodes[id].op == "aten.addmm.default" ? 2 : 1; }
  std::size_t rows_dim(NodeId id) const { return whole_.nodes[id].op == "aten.linear.default" ? 0 : 1; }
  ValueId weight_of(NodeId id) const { return std::get<Use>(whole_.nodes[id].args[weight_place(id)]).value; }

  void narrow(Argument& argument, std::size_t dim) {
    const Tensor operand(&builder_, std::get<Use>(argument).value);
    const std::int64_t share = operand.shape()[dim] / ranks_;
    argument = Use{
        builder_
            .call("aten.slice.Tensor", {operand, static_cast<std::int64_t>(dim), rank_ * share, (rank_ + 1) * share, 1})
            .id()};
  }

  Tensor wait(const Tensor& tensor) { return builder_.call("_c10d_functional.wait_tensor.default", {tensor}); }

  /// transformers' plans call torch.distributed.all_reduce: in place, where nothing else sees the storage.
  Tensor reduce(const Tensor& part) {
    if (owns_storage(part.id())) {
      return builder_.call(std::string(kAllReduceInPlace), {part, "sum", std::string(kRankGroup)});
    }
    return wait(builder_.call("_c10d_functional.all_reduce.default", {part, "sum", std::string(kRankGroup)}));
  }

  /// Whether nobody sees the storage of a part but through its sum: uses of the part are uses of the sum, and what it
  /// is a view of has no other use.
  bool owns_storage(ValueId value) const {
    if (value >= whole_.values.size()) return true;  // a product that was split from its bias
    const NodeId producer = whole_.values[value].producer;
    // Inside experts a view may stay a part where another use wants the sum.
    if (producer != kNoId && in_experts(whole_.nodes[producer]) && uses_[value] != 1) return false;
    if (!is_contiguous(whole_.values[value].type)) return false;
    while (whole_.values[value].type.alias) {
      std::optional<ValueId> base;
      for_each_use(whole_.nodes[whole_.values[value].producer].args.at(0), [&](ValueId used) { base = used; });
      if (!base || uses_[*base] != 1) return false;
      value = *base;
    }
    return whole_.values[value].producer != kNoId;  // not an input or a weight
  }

  /// As torch.distributed's functional all_gather does for a dimension that is not the first.
  Tensor gather(const Tensor& part, std::size_t dim) {
    const Tensor all =
        wait(builder_.call("_c10d_functional.all_gather_into_tensor.default", {part, ranks_, std::string(kRankGroup)}));
    if (dim == 0) return all;
    return builder_.call("aten.cat.default",
                         {builder_.call_all("aten.chunk.default", {all, ranks_, 0}), static_cast<std::int64_t>(dim)});
  }

  /// What stays with a rank until the next pass stays cut.
  ValueId kept(ValueId value) { return placements_[value].is_cut() ? value : made_whole(value); }

  ValueId made_whole(ValueId value) {
    if (const auto found = reduced_.find(value); found != reduced_.end()) return found->second;
    const Placement& placement = placements_[value];
    const Tensor tensor(&builder_, value);
    if (placement.is_partial()) return reduced_.emplace(value, reduce(tensor).id()).first->second;
    if (!placement.is_cut()) return value;
    if (placement.pieces.size() > 1) {
      throw Error(ErrorKind::kUnsupported, "tensor parallel: an output of the model is cut in several pieces");
    }
    return gather(tensor, placement.dim).id();
  }

  /// Types anew: of what a rank has.
  void add(BlockId block, Node node) {
    Graph& local = builder_.graph();
    bool changed = false;
    for (Argument& argument : node.args) replace_reduced(argument);
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId value) { changed = changed || !is_as_before(value); });
    }
    if (const Op* op = OpTable::get().find(node.op); op != nullptr && changed && node.blocks.empty()) {
      const std::vector<Type> types = infer_types(local, node, *op);
      for (std::size_t i = 0; i < types.size(); ++i) local.values[node.outputs.at(i)].type = types[i];
    }
    const auto id = static_cast<NodeId>(local.nodes.size());
    for (const ValueId output : node.outputs) local.values[output].producer = id;
    local.blocks[block].nodes.push_back(id);
    local.nodes.push_back(std::move(node));
  }

  bool is_as_before(ValueId value) const {
    return value < whole_.values.size() && builder_graph().values[value].type == whole_.values[value].type;
  }
  const Graph& builder_graph() const { return const_cast<Builder&>(builder_).graph(); }  // NOLINT: no const access

  void replace_reduced(Argument& argument) {
    const auto replaced = [&](ValueId value) {
      const auto found = reduced_.find(value);
      return found != reduced_.end() ? found->second : value;
    };
    if (auto* use = std::get_if<Use>(&argument)) use->value = replaced(use->value);
    if (auto* uses = std::get_if<std::vector<Use>>(&argument)) {
      for (Use& use : *uses) use.value = replaced(use.value);
    }
  }

  void take_place(ValueId old, ValueId made) {
    Graph& local = builder_.graph();
    std::vector<ValueId>& outputs = local.nodes[local.values[made].producer].outputs;
    for (ValueId& output : outputs) output = output == made ? old : output;
    local.values[old] = std::exchange(local.values[made], Value());
  }

  [[noreturn]] void fail(const Node& node, const std::string& why) const {
    CutNode(whole_, node, OpTable::get().all().front(), ranks_, placement_).fail(why);
  }

  const Graph& whole_;
  CutWeights cuts_;
  StateCuts states_;
  std::int64_t ranks_;
  std::int64_t rank_;
  std::vector<std::size_t> uses_;  // by value of the whole
  Builder builder_;
  Builder preparation_;
  std::vector<Placement> placements_;  // of the whole's values
  std::function<const Placement&(ValueId)> placement_;
  std::map<ValueId, ValueId> reduced_;  // parts of sums, and the sums
};

}  // namespace

Graph tensor_parallel(Graph graph, const RankPlace& place, std::string_view architecture) {
  if (!place.is_one_of_several()) return graph;
  if (graph.preparation != nullptr) {
    throw Error(ErrorKind::kUnsupported, "a quantized model is not cut among ranks", "leave --quantize out");
  }
  const ParallelPlan plan = place.plan.empty() ? plan_of(architecture) : read_plan_file(place.plan);
  CutStates states;
  while (true) {
    Splitter splitter(graph, cut_weights(graph, plan, place.ranks), states, place);
    Graph part = splitter.run();
    if (!splitter.has_to_begin_anew()) return part;
    states = splitter.states();
  }
}

}  // namespace nongemm::passes
