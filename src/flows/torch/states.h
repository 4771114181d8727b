// Values that outlive a run (graph/state.h): found before it, left behind it, shared by the entries of a model.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/state.h"

namespace nongemm::torch_flow {

/// The states themselves, by name.
class StateStore {
 public:
  /// Undefined where nothing has made it yet.
  at::Tensor get(const std::string& name) const;
  /// Gives it up, but for one that a capture reads.
  at::Tensor take(const std::string& name);
  void put(const std::string& name, at::Tensor tensor);
  /// A capture reads this memory from now on: what is put is copied into it.
  void pin(const std::string& name) { entries_.at(name).pinned = true; }
  /// Zero. All counters lie in one tensor, so that they are put back by one copy.
  void make_counter(const std::string& name, c10::Device device);
  const at::Tensor& counters() const { return counters_; }
  bool is_counter(const std::string& name) const { return entries_.at(name).counter; }

 private:
  struct Entry {
    at::Tensor tensor;
    bool pinned = false;
    bool counter = false;
  };
  std::map<std::string, Entry> entries_;
  at::Tensor counters_;
  std::int64_t counted_ = 0;
};

/// One entry's side of them.
class States {
 public:
  States(const Graph& graph, std::shared_ptr<StateStore> store);

  const std::shared_ptr<StateStore>& store() const { return store_; }
  bool empty() const { return states_.empty(); }
  /// Whether an input of the graph is one.
  bool has_input(std::uint32_t input) const;

  /// What a run finds goes into its slots. Throws Error(kUsage) for one that nothing has made.
  /// @param give_up the store keeps no reference to what the run replaces
  void find(std::vector<c10::IValue>& slots, bool give_up);
  /// What a run has left, out of its slots.
  void keep(std::vector<c10::IValue>& slots);
  /// What a run has left in output `index` and keep() has taken.
  at::Tensor left(std::size_t index) const { return store_->get(graph_.outputs[index].name.substr(kPresent.size())); }
  /// Zeros for the state that is input `input`.
  void clear(std::uint32_t input, c10::Device device);
  /// Inside a capture, behind the run: what it leaves goes to where the next replay finds it.
  /// @param moved called after each state with the node that has made it
  void move_on(const std::vector<c10::IValue>& slots, const std::function<void(NodeId)>& moved);
  /// A capture has been made of this entry.
  void pin();

  /// Copies of what is small, and back.
  void remember();
  void restore();

 private:
  ValueId input_value(const State& state) const { return graph_.inputs[state.input].value; }
  ValueId output_value(const State& state) const { return graph_.outputs[state.output].value; }

  const Graph& graph_;
  std::vector<State> states_;
  std::shared_ptr<StateStore> store_;
  std::vector<std::pair<std::string, at::Tensor>> remembered_;
  at::Tensor remembered_counters_;
};

}  // namespace nongemm::torch_flow
