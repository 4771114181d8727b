#include "flows/torch/weights.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/program.h"
#include "weights/draw.h"
#include "weights/synthetic.h"

namespace nongemm::torch_flow {
namespace {

/// The values that the host would draw, without the way through host memory.
at::Tensor draw_on_device(const Weight& weight, const Type& type, std::uint64_t seed, c10::Device device,
                          device::Library& cuda) {
  at::Tensor tensor = at::empty(type.shape, at::TensorOptions().dtype(to_torch(type.dtype)).device(device));
  cuda.draw(weights::draw_of(weight.init, seed, weight.name), type.dtype, tensor.numel(), tensor.mutable_data_ptr(),
            current_stream(device));
  return tensor;
}

std::vector<at::Tensor> place_stored(const Graph& graph, const std::vector<HostTensor>& weights,
                                     const RunOptions& options, c10::Device device, device::Library* cuda) {
  std::vector<at::Tensor> tensors(weights.size());
  std::vector<weights::WeightSpec> drawn_here;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Weight& weight = graph.weights[i];
    const Type& type = graph.values[weight.value].type;
    if (weights[i].data) {
      tensors[i] = to_torch(weights[i], device);
    } else if (cuda != nullptr && cuda->has_kernels() && is_floating(type.dtype)) {
      tensors[i] = draw_on_device(weight, type, options.seed, device, *cuda);
    } else {
      drawn_here.push_back({weight.name, type.dtype, type.shape, weight.init});
      places.push_back(i);
    }
  }
  // All at once: they are drawn in parallel.
  const NamedTensors drawn = weights::synthesize_all(drawn_here, options.seed, options.threads);
  for (std::size_t i = 0; i < places.size(); ++i) tensors[places[i]] = to_torch(drawn[i].second, device);
  return tensors;
}

/// Lets weights go that no later node wants.
class ReleaseSources {
 public:
  /// @param kept stays to the end
  ReleaseSources(const Graph& graph, const std::vector<bool>& kept, std::vector<c10::IValue>& slots) : slots_(slots) {
    std::vector<bool> seen = kept;
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
      for (const Argument& argument : graph.nodes[i].args) {
        for_each_use(argument, [&](ValueId value) {
          if (seen[value] || graph.values[value].producer != kNoId) return;
          seen[value] = true;
          last_[static_cast<NodeId>(i)].push_back(value);
        });
      }
    }
  }
  void before(const Instruction&) {}
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
  void released(const Instruction& instruction) {
    for (const ValueId value : last_[instruction.node]) slots_[value] = c10::IValue();
  }

 private:
  std::vector<c10::IValue>& slots_;
  std::map<NodeId, std::vector<ValueId>> last_;
};

/// Quantized they would be numbers like others.
void check_finite(const Graph& preparation, const std::vector<HostTensor>& given,
                  const std::vector<at::Tensor>& stored) {
  std::vector<bool> used(preparation.values.size(), false);
  for (const Node& node : preparation.nodes) {
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { used[value] = true; });
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Weight& weight = preparation.weights[i];
    if (!given[i].data || !used[weight.value] || !is_floating(given[i].dtype)) continue;
    if (std::isfinite(stored[i].sum(at::kFloat).item<float>())) continue;
    throw Error(ErrorKind::kBadInput, "the weight '" + weight.name + "' is not finite, and cannot be quantized",
                "leave its layer out (--quantize-skip), or mend the checkpoint");
  }
}

std::vector<at::Tensor> make_weights(const Graph& graph, std::vector<at::Tensor> stored, c10::Device device) {
  const Graph& preparation = *graph.preparation;
  std::map<std::string, ValueId> made;
  for (const Weight& weight : preparation.weights) made[weight.name] = weight.value;
  for (const Output& output : preparation.outputs) made[output.name] = output.value;
  std::vector<bool> kept(preparation.values.size(), false);
  for (const Weight& weight : graph.weights) {
    const auto found = made.find(weight.name);
    if (found == made.end()) throw Error(ErrorKind::kFailed, "nothing makes the weight '" + weight.name + "'");
    kept[found->second] = true;
  }
  std::vector<c10::IValue> slots(preparation.values.size());
  for (std::size_t i = 0; i < stored.size(); ++i) slots[preparation.weights[i].value] = std::move(stored[i]);
  Program(preparation, device).run(slots, ReleaseSources(preparation, kept, slots));
  std::vector<at::Tensor> tensors;
  for (const Weight& weight : graph.weights) tensors.push_back(slots[made.at(weight.name)].toTensor());
  return tensors;
}

/// Parts of stored weights alone: those of one rank of several.
bool takes_parts(const Graph& preparation) {
  return std::all_of(preparation.nodes.begin(), preparation.nodes.end(),
                     [](const Node& node) { return node.op == "aten.slice.Tensor" || node.op == "aten.cat.default"; });
}

at::Tensor part_of(const Graph& preparation, ValueId value, const at::Tensor& whole) {
  if (preparation.values[value].producer == kNoId) return whole;
  const Node& node = preparation.nodes[preparation.values[value].producer];
  const auto number = [&](std::size_t i) { return std::get<std::int64_t>(node.args[i]); };
  if (node.op == "aten.slice.Tensor") {
    const at::Tensor of = part_of(preparation, std::get<Use>(node.args[0]).value, whole);
    return of.narrow(number(1), number(2), number(3) - number(2));
  }
  std::vector<at::Tensor> parts;
  for (const Use& use : std::get<std::vector<Use>>(node.args[0])) {
    parts.push_back(part_of(preparation, use.value, whole));
  }
  return at::cat(parts, number(1));
}

/// A weight after another: the whole is on the host, or, where the device draws it, there for as long as it takes to
/// cut it. What is drawn has the same values as with one rank.
std::vector<at::Tensor> place_parts(const Graph& graph, const std::vector<HostTensor>& given, const RunOptions& options,
                                    c10::Device device, device::Library* cuda) {
  const Graph& preparation = *graph.preparation;
  std::map<std::string, ValueId> made;
  for (const Output& output : preparation.outputs) made[output.name] = output.value;
  std::vector<at::Tensor> tensors;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Weight& weight = preparation.weights[i];
    const Type& type = preparation.values[weight.value].type;
    const auto part = made.find(weight.name);
    const bool on_device = !given[i].data && cuda != nullptr && cuda->has_kernels() && is_floating(type.dtype);
    at::Tensor whole;
    if (on_device) {
      whole = draw_on_device(weight, type, options.seed, device, *cuda);
    } else {
      const weights::WeightSpec spec{weight.name, type.dtype, type.shape, weight.init};
      whole = to_torch(given[i].data ? given[i] : weights::synthesize(spec, options.seed), c10::kCPU);
    }
    if (part == made.end()) {
      tensors.push_back(whole.to(device));
    } else {
      tensors.push_back(part_of(preparation, part->second, whole).clone(at::MemoryFormat::Contiguous).to(device));
    }
  }
  return tensors;
}

}  // namespace

std::vector<at::Tensor> place_weights(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options, c10::Device device, device::Library* cuda) {
  if (graph.preparation != nullptr && takes_parts(*graph.preparation)) {
    return place_parts(graph, weights, options, device, cuda);
  }
  std::vector<at::Tensor> stored = place_stored(graph.stored(), weights, options, device, cuda);
  if (graph.preparation == nullptr) return stored;
  check_finite(*graph.preparation, weights, stored);
  return make_weights(graph, std::move(stored), device);
}

void share_weights(const Graph& first, const std::vector<c10::IValue>& first_slots, const Graph& graph,
                   std::vector<c10::IValue>& slots) {
  std::map<std::string_view, ValueId> known;
  for (const Weight& weight : first.weights) known.emplace(weight.name, weight.value);
  for (const Weight& weight : graph.weights) {
    const auto at = known.find(weight.name);
    if (at == known.end()) throw Error(ErrorKind::kBadInput, "the model's first entry has no weight " + weight.name);
    slots[weight.value] = first_slots[at->second];
  }
}

}  // namespace nongemm::torch_flow
