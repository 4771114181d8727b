#include "analysis/liveness.h"

#include <algorithm>
#include <limits>

namespace nongemm {
namespace {

/// NaN for a size that only the run knows.
double bytes_of(const Type& type) {
  const bool unknown = type.kind == Type::Kind::kTensorList ||
                       std::any_of(type.shape.begin(), type.shape.end(), [](auto size) { return size < 0; });
  if (type.kind != Type::Kind::kTensor && type.kind != Type::Kind::kTensorList) return 0;  // numbers
  if (unknown) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(element_count(type.shape)) * static_cast<double>(size_of(type.dtype));
}

/// By ValueId: the value whose storage it shares, itself where that is its own.
std::vector<ValueId> owners_of(const Graph& graph) {
  std::vector<ValueId> owners(graph.values.size());
  for (ValueId id = 0; id < owners.size(); ++id) owners[id] = id;
  for (const Node& node : graph.nodes) {
    ValueId first = kNoId;
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId id) { first = first == kNoId ? id : first; });
    }
    for (const ValueId id : node.outputs) {
      if (first != kNoId && graph.values[id].type.alias) owners[id] = owners[first];
    }
  }
  return owners;
}

}  // namespace

std::vector<double> alive_bytes(const Graph& graph) {
  const std::vector<ValueId> owners = owners_of(graph);
  const std::size_t end = graph.nodes.size();
  std::vector<std::size_t> last_use(graph.values.size(), 0);
  for (NodeId id = 0; id < end; ++id) {
    for (const Argument& argument : graph.nodes[id].args) {
      for_each_use(argument, [&](ValueId value) {
        last_use[owners[value]] = std::max<std::size_t>(last_use[owners[value]], id);
      });
    }
  }
  for (const Output& output : graph.outputs) last_use[owners[output.value]] = end;

  double always = 0;
  for (const Weight& weight : graph.weights) always += bytes_of(graph.values[weight.value].type);
  for (const Constant& constant : graph.constants) always += bytes_of(graph.values[constant.value].type);
  for (const Input& input : graph.inputs) always += bytes_of(graph.values[input.value].type);

  std::vector<double> born(end + 1, 0);
  std::vector<int> unknown(end + 1, 0);  // how many of unknown size begin less how many end, before each node
  for (NodeId id = 0; id < end; ++id) {
    for (const ValueId value : graph.nodes[id].outputs) {
      if (owners[value] != value) continue;
      const std::size_t after = std::min(std::max<std::size_t>(last_use[value], id) + 1, end);
      const double bytes = bytes_of(graph.values[value].type);
      const bool known = bytes >= 0;
      born[id] += known ? bytes : 0;
      born[after] -= known ? bytes : 0;
      unknown[id] += known ? 0 : 1;
      unknown[after] -= known ? 0 : 1;
    }
  }
  std::vector<double> alive(end);
  double now = always;
  int missing = 0;
  for (NodeId id = 0; id < end; ++id) {
    now += born[id];
    missing += unknown[id];
    alive[id] = missing > 0 ? std::numeric_limits<double>::quiet_NaN() : now;
  }
  return alive;
}

}  // namespace nongemm
