#include "flows/ort/states.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "flows/device/device.h"
#include "flows/ort/values.h"
#include "lowering/written_states.h"

namespace nongemm::ort_flow {
namespace {

void fill_with_zeros(Ort::Value& value, std::size_t bytes) {
  if (value.GetTensorMemoryInfo().GetDeviceType() == OrtMemoryInfoDeviceType_GPU) {
    const std::vector<std::byte> zeros(bytes);
    device::library().copy_to_device(value.GetTensorMutableRawData(), zeros.data(), bytes);
  } else {
    std::memset(value.GetTensorMutableRawData(), 0, bytes);
  }
}

}  // namespace

States::States(const Graph& graph, const onnx::ModelDef& model, const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs, std::shared_ptr<StateStore> store)
    : graph_(graph), store_(std::move(store)) {
  for (const State& state : states_of(graph)) {
    Bound& bound = states_.emplace_back();
    bound.state = state;
    if (state.input != kNoId) bound.input = inputs[state.input];
    if (state.output != kNoId) bound.output = outputs[state.output];
    bound.in_place = state.input != kNoId && state.output != kNoId &&
                     onnx::is_scattered_into(model.graph, bound.input, bound.output);
  }
}

bool States::has_input(std::uint32_t input) const {
  return std::any_of(states_.begin(), states_.end(), [&](const Bound& bound) { return bound.state.input == input; });
}

bool States::has_kept(std::size_t index) const {
  return kept_ &&
         std::any_of(states_.begin(), states_.end(), [&](const Bound& bound) { return bound.state.output == index; });
}

const Ort::Value& States::kept(std::size_t index) const {
  return store_->values.at(graph_.outputs[index].name.substr(kPresent.size()));
}

void States::bind(Ort::IoBinding& binding, const Ort::MemoryInfo& memory) {
  for (const Bound& bound : states_) {
    if (bound.input.empty()) continue;
    const auto found = store_->values.find(bound.state.name);
    if (found == store_->values.end()) {
      throw Error(ErrorKind::kUsage, "nothing has made the state " + bound.state.name, "run the prompt's pass before");
    }
    binding.BindInput(bound.input.c_str(), found->second);
    if (bound.in_place) binding.BindOutput(bound.output.c_str(), found->second);
  }
  // The runtime writes over what an output holds already; that is perhaps what another run finds.
  for (const Bound& bound : states_) {
    if (!bound.output.empty() && !bound.in_place) binding.BindOutput(bound.output.c_str(), memory);
  }
  kept_ = false;
}

void States::keep(Ort::IoBinding& binding, const Ort::MemoryInfo& memory) {
  std::vector<Ort::Value> left = binding.GetOutputValues();
  for (const Bound& bound : states_) {
    if (bound.output.empty() || bound.in_place) continue;
    store_->values.insert_or_assign(bound.state.name, std::move(left[bound.state.output]));
    binding.BindOutput(bound.output.c_str(), memory);
  }
  kept_ = true;
}

void States::clear(std::uint32_t input, const Ort::Session& session, const Ort::MemoryInfo& memory) {
  if (!store_->allocator) store_->allocator.emplace(session, memory);
  for (const Bound& bound : states_) {
    if (bound.state.input != input) continue;
    const Type& type = graph_.values[graph_.inputs[input].value].type;
    Ort::Value value =
        Ort::Value::CreateTensor(*store_->allocator, type.shape.data(), type.shape.size(), to_onnx(type.dtype));
    const auto elements = static_cast<std::size_t>(element_count(type.shape));
    fill_with_zeros(value, byte_size_of(type.dtype, elements));
    store_->values.insert_or_assign(bound.state.name, std::move(value));
  }
}

}  // namespace nongemm::ort_flow
