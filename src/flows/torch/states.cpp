#include "flows/torch/states.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/error.h"
#include "flows/torch/bridge/values.h"

namespace nongemm::torch_flow {
namespace {

/// A cache is above it; counters, tokens and masks are below.
constexpr std::size_t kSmallBytes = std::size_t{1} << 20;

}  // namespace

at::Tensor StateStore::get(const std::string& name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? at::Tensor() : at->second.tensor;
}

at::Tensor StateStore::take(const std::string& name) {
  const auto at = entries_.find(name);
  if (at == entries_.end()) return {};
  return at->second.pinned ? at->second.tensor : std::move(at->second.tensor);
}

void StateStore::put(const std::string& name, at::Tensor tensor) {
  Entry& entry = entries_[name];
  if (entry.pinned && entry.tensor.sizes() == tensor.sizes()) {
    if (!entry.tensor.is_same(tensor)) entry.tensor.copy_(tensor);
    return;
  }
  entry.tensor = std::move(tensor);
}

void StateStore::make_counter(const std::string& name, c10::Device device) {
  constexpr std::int64_t kMost = 8192;  // one for each layer
  if (!counters_.defined()) counters_ = at::zeros({kMost}, at::TensorOptions(c10::kLong).device(device));
  if (counted_ == kMost) throw Error(ErrorKind::kUnsupported, "more than " + std::to_string(kMost) + " counters");
  entries_[name] = {.tensor = counters_.select(0, counted_++), .pinned = true, .counter = true};
}

States::States(const Graph& graph, std::shared_ptr<StateStore> store)
    : graph_(graph), states_(states_of(graph)), store_(std::move(store)) {}

bool States::has_input(std::uint32_t input) const {
  return std::any_of(states_.begin(), states_.end(), [&](const State& state) { return state.input == input; });
}

void States::find(std::vector<c10::IValue>& slots, bool give_up) {
  for (const State& state : states_) {  // what the last run has left is not for this one
    if (state.input != kNoId && state.output != kNoId) slots[output_value(state)] = c10::IValue();
  }
  for (const State& state : states_) {
    if (state.input == kNoId) continue;
    const bool replaced = state.output != kNoId;
    at::Tensor tensor = give_up && replaced ? store_->take(state.name) : store_->get(state.name);
    if (!tensor.defined()) {
      throw Error(ErrorKind::kUsage, "nothing has made the state " + state.name, "run the prompt's pass before");
    }
    slots[input_value(state)] = std::move(tensor);
  }
}

void States::keep(std::vector<c10::IValue>& slots) {
  for (const State& state : states_) {
    if (state.output == kNoId) continue;
    c10::IValue& slot = slots[output_value(state)];
    if (slot.isTensor()) store_->put(state.name, slot.toTensor());
    const bool is_input = std::any_of(graph_.inputs.begin(), graph_.inputs.end(),
                                      [&](const Input& input) { return input.value == output_value(state); });
    if (!is_input) slot = c10::IValue();
  }
}

void States::clear(std::uint32_t input, c10::Device device) {
  for (const State& state : states_) {
    if (state.input != input) continue;
    const Type& type = graph_.values[input_value(state)].type;
    const at::Tensor known = store_->get(state.name);
    const bool fits = known.defined() && known.sizes() == at::IntArrayRef(type.shape);
    if (fits) {
      known.zero_();
    } else if (type.shape.empty() && type.dtype == DType::kInt64) {
      store_->make_counter(state.name, device);
    } else {
      store_->put(state.name, at::zeros(type.shape, at::TensorOptions(to_torch(type.dtype)).device(device)));
    }
  }
}

void States::move_on(const std::vector<c10::IValue>& slots, const std::function<void(NodeId)>& moved) {
  for (const State& state : states_) {
    if (state.input == kNoId || state.output == kNoId) continue;
    store_->get(state.name).copy_(slots[output_value(state)].toTensor());
    moved(graph_.values[output_value(state)].producer);
  }
}

void States::pin() {
  for (const State& state : states_) {
    if (state.input != kNoId) store_->pin(state.name);
  }
}

void States::remember() {
  remembered_.clear();
  remembered_counters_ = store_->counters().defined() ? store_->counters().clone() : at::Tensor();
  for (const State& state : states_) {
    if (state.input == kNoId) continue;
    const at::Tensor tensor = store_->get(state.name);
    if (!tensor.defined() || tensor.nbytes() > kSmallBytes || store_->is_counter(state.name)) continue;
    remembered_.emplace_back(state.name, tensor.clone());
  }
}

void States::restore() {
  if (remembered_counters_.defined()) store_->counters().copy_(remembered_counters_);
  for (const auto& [name, tensor] : remembered_) {
    const at::Tensor now = store_->get(name);
    if (now.defined() && now.sizes() == tensor.sizes()) {
      now.copy_(tensor);
    } else {
      store_->put(name, tensor.clone());
    }
  }
}

}  // namespace nongemm::torch_flow
