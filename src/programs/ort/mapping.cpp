#include "programs/ort/mapping.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>

#include "ops/onnx_operators.h"

namespace nongemm::ort_flow {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

/// Types that give the same elements in another form.
bool only_moves(std::string_view type) {
  const OnnxOperator* known = find_onnx_operator(type);
  return known != nullptr && known->elements != OnnxElements::kComputed;
}

RuntimeRole role_of_added(std::string_view type) {
  if (type == "MemcpyFromHost") return RuntimeRole::kCopyToDevice;
  if (type == "MemcpyToHost") return RuntimeRole::kCopyToHost;
  return type == "Cast" ? RuntimeRole::kCast : RuntimeRole::kReformat;
}

/// The name of the value that this one is in a wider type, where the runtime took its casts away: fp16 models run in
/// fp32 where the provider has no fp16 kernels, and then no step needs to give the value in its own type.
std::string_view without_free_cast(std::string_view value) {
  constexpr std::string_view kPrefix = "InsertedPrecisionFreeCast_";
  while (value.starts_with(kPrefix)) value.remove_prefix(kPrefix.size());
  return value;
}

/// Values that hold the same elements: an added cast, copy or reformat gives its operand under another name.
class SameValues {
 public:
  void join(const std::string& a, const std::string& b) {
    const std::size_t from = place(a);
    const std::size_t to = place(b);
    if (from == to) return;
    for (const std::string& name : sets_[from]) places_[name] = to;
    sets_[to].insert(sets_[to].end(), sets_[from].begin(), sets_[from].end());
    sets_[from].clear();
  }
  /// All names of a value, its own included.
  std::span<const std::string> of(const std::string& name) { return sets_[place(name)]; }

 private:
  std::size_t place(const std::string& name) {
    const auto [at, is_new] = places_.emplace(name, sets_.size());
    if (is_new) sets_.push_back({name});
    return at->second;
  }

  std::unordered_map<std::string, std::size_t> places_;
  std::vector<std::vector<std::string>> sets_;
};

class Mapper {
 public:
  Mapper(const Dataflow& lowered, const Dataflow& optimised)
      : lowered_(lowered), optimised_(optimised), owners_(lowered.nodes.size()), added_(optimised.nodes.size()) {
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
      by_name_.emplace(lowered.nodes[i].name, i);
      for (const std::string& output : lowered.nodes[i].outputs) by_name_.emplace(output, producers_[output] = i);
      for (const std::string& input : lowered.nodes[i].inputs) users_[input].push_back(i);
    }
    for (const DataflowNode& step : optimised.nodes) {
      for (const std::string& output : step.outputs) {
        const std::string own(without_free_cast(output));
        if (own != output) same_.join(output, own);
        materialised_.insert(output);
        materialised_.insert(own);
      }
    }
    find_foldable();
  }

  RuntimeProgram map() {
    find_added();
    for (std::size_t step = 0; step < optimised_.nodes.size(); ++step) {
      if (!added_[step]) anchor(step);
    }
    adopt();
    absorb();
    return program();
  }

 private:
  /// Nodes that depend on no input of the model. The runtime computes them when it loads the model, and names what it
  /// got as it likes.
  void find_foldable() {
    std::unordered_set<std::string> constants = lowered_.constants;
    for (const DataflowNode& node : lowered_.nodes) {
      const auto constant = [&](const std::string& input) { return constants.contains(input); };
      foldable_.push_back(std::all_of(node.inputs.begin(), node.inputs.end(), constant));
      if (foldable_.back()) constants.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  std::size_t producer(const std::string& value) const {
    const auto at = producers_.find(value);
    return at == producers_.end() ? kNone : at->second;
  }

  /// The lowered node whose name, or whose value's name, `text` begins with: fusions append to names that they take
  /// over
  /// ("n5//aten.linear/MatMulAddFusion", "n7/v9_nchwc"). The longest counts. Names of a user's file may be anything, so
  /// one ends where the text has no further letter or digit.
  std::size_t begins_with_known(std::string_view text) const {
    for (std::size_t length = text.size(); length > 1; --length) {
      if (length < text.size() && std::isalnum(static_cast<unsigned char>(text[length])) != 0) continue;
      const auto at = by_name_.find(std::string(text.substr(0, length)));
      if (at != by_name_.end()) return at->second;
    }
    return kNone;
  }

  /// A step that moves or converts a value and is not, by its name or its result, the work of a node that does the
  /// same.
  bool is_added(const DataflowNode& step) const {
    if (!only_moves(step.type) && step.type != "Cast") return false;
    if (step.type.starts_with("Memcpy")) return true;
    const auto same_kind = [&](std::size_t node) {
      if (node == kNone) return false;
      const std::string& type = lowered_.nodes[node].type;
      return type == step.type || (only_moves(type) && only_moves(step.type));
    };
    if (by_name_.contains(step.name)) return false;
    return step.outputs.empty() || !same_kind(producer(step.outputs[0]));
  }

  void find_added() {
    for (std::size_t i = 0; i < optimised_.nodes.size(); ++i) {
      const DataflowNode& step = optimised_.nodes[i];
      added_[i] = is_added(step);
      if (added_[i] && !step.inputs.empty() && !step.outputs.empty()) same_.join(step.inputs[0], step.outputs[0]);
    }
  }

  void own(std::size_t node, std::size_t step) { owners_[node].insert(step); }

  /// Lowered nodes that a step certainly implements: the one it is named after, and those that computed its results.
  void anchor(std::size_t step) {
    const DataflowNode& node = optimised_.nodes[step];
    const std::size_t named = begins_with_known(node.name);
    if (named != kNone) own(named, step);
    for (const std::string& output : node.outputs) {
      std::size_t found = producer(output);
      if (found == kNone) found = producer_under_another_name(output);
      if (found == kNone && named == kNone) found = begins_with_known(output);
      if (found != kNone) own(found, step);
    }
  }

  /// Another name counts when only added steps give it that name.
  std::size_t producer_under_another_name(const std::string& value) {
    for (const std::string& name : same_.of(value)) {
      if (name != value && producer(name) != kNone && !made_by_a_step_of_its_own(name)) return producer(name);
    }
    return kNone;
  }

  bool made_by_a_step_of_its_own(const std::string& value) {
    if (own_results_.empty()) {
      own_results_.insert("");
      for (std::size_t i = 0; i < optimised_.nodes.size(); ++i) {
        if (!added_[i]) own_results_.insert(optimised_.nodes[i].outputs.begin(), optimised_.nodes[i].outputs.end());
      }
    }
    return own_results_.contains(value);
  }

  /// A step that nothing claims does a part of what its users do: it comes out of a function that the runtime put in
  /// the place of a node. Users stand after it.
  void adopt() {
    std::vector<std::vector<std::size_t>> owned(optimised_.nodes.size());
    for (std::size_t i = 0; i < lowered_.nodes.size(); ++i) {
      for (const std::size_t step : owners_[i]) owned[step].push_back(i);
    }
    std::unordered_map<std::string, std::set<std::size_t>> wanted_for;  // by value: the nodes that its users implement
    for (std::size_t step = optimised_.nodes.size(); step-- > 0;) {
      const DataflowNode& node = optimised_.nodes[step];
      if (owned[step].empty() && !added_[step]) {
        std::set<std::size_t> nodes;
        for (const std::string& output : node.outputs)
          nodes.insert(wanted_for[output].begin(), wanted_for[output].end());
        for (const std::size_t lowered : nodes) own(lowered, step);
        owned[step].assign(nodes.begin(), nodes.end());
      }
      for (const std::string& input : node.inputs) wanted_for[input].insert(owned[step].begin(), owned[step].end());
    }
  }

  /// A lowered node whose results no step gives ran inside the steps that implement its users, unless it became a
  /// constant. Users stand after it.
  void absorb() {
    for (std::size_t i = lowered_.nodes.size(); i-- > 0;) {
      if (!owners_[i].empty() || foldable_[i]) continue;
      for (const std::string& output : lowered_.nodes[i].outputs) {
        if (optimised_.constants.contains(output)) continue;
        const auto users = users_.find(output);
        if (users == users_.end()) continue;
        for (const std::size_t user : users->second) owners_[i].insert(owners_[user].begin(), owners_[user].end());
      }
    }
  }

  RuntimeProgram program() const {
    RuntimeProgram program;
    std::vector<std::set<NodeId>> covers(optimised_.nodes.size());
    std::vector<std::set<std::string>> operators(optimised_.nodes.size());
    std::set<NodeId> known;
    std::set<NodeId> covered;
    std::vector<bool> claimed(optimised_.nodes.size(), false);
    for (std::size_t i = 0; i < lowered_.nodes.size(); ++i) {
      const std::vector<NodeId>& nodes = lowered_.nodes[i].graph_nodes;
      known.insert(nodes.begin(), nodes.end());
      for (const std::size_t step : owners_[i]) claimed[step] = true;
      if (dropped(i)) continue;
      for (const std::size_t step : owners_[i]) {
        covers[step].insert(nodes.begin(), nodes.end());
        operators[step].insert(lowered_.nodes[i].type);
        covered.insert(nodes.begin(), nodes.end());
      }
    }
    for (std::size_t i = 0; i < optimised_.nodes.size(); ++i) {
      RuntimeNode step;
      step.name = optimised_.nodes[i].name;
      step.type = optimised_.nodes[i].type;
      step.covers.assign(covers[i].begin(), covers[i].end());
      step.operators.assign(operators[i].begin(), operators[i].end());
      if (added_[i]) {
        step.role = role_of_added(step.type);
      } else if (claimed[i] && covers[i].empty()) {
        step.role = RuntimeRole::kSizes;
      }
      program.nodes.push_back(std::move(step));
    }
    std::set<NodeId> vanished;
    std::set_difference(known.begin(), known.end(), covered.begin(), covered.end(),
                        std::inserter(vanished, vanished.end()));
    // Known to have gone; what else no step covers was not found.
    for (std::size_t i = 0; i < lowered_.nodes.size(); ++i) {
      if (foldable_[i] || dropped(i)) continue;
      for (const NodeId node : lowered_.nodes[i].graph_nodes) vanished.erase(node);
    }
    program.folded.assign(vanished.begin(), vanished.end());
    return program;
  }

  /// A move that no step makes was not fused: its users read its operand instead.
  bool dropped(std::size_t node) const {
    const DataflowNode& lowered = lowered_.nodes[node];
    if (!only_moves(lowered.type)) return false;
    return std::none_of(lowered.outputs.begin(), lowered.outputs.end(),
                        [&](const std::string& output) { return materialised_.contains(output); });
  }

  const Dataflow& lowered_;
  const Dataflow& optimised_;
  std::unordered_map<std::string, std::size_t> by_name_;    // of lowered nodes and of their results
  std::unordered_map<std::string, std::size_t> producers_;  // of results alone
  std::unordered_map<std::string, std::vector<std::size_t>> users_;
  std::unordered_set<std::string> materialised_;  // results of steps
  std::unordered_set<std::string> own_results_;   // results of steps that were not added
  std::vector<std::set<std::size_t>> owners_;     // by lowered node: the steps that implement it
  std::vector<bool> foldable_;                    // by lowered node
  std::vector<bool> added_;                       // by step
  SameValues same_;
};

}  // namespace

RuntimeProgram map_program(const Dataflow& lowered, const Dataflow& optimised) {
  return Mapper(lowered, optimised).map();
}

}  // namespace nongemm::ort_flow
