#include "generate/growth.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nongemm {
namespace {

bool same_bytes(const HostTensor& a, const HostTensor& b) {
  if (a.dtype != b.dtype || a.shape != b.shape) return false;
  return a.byte_size() == 0 || std::memcmp(a.data.get(), b.data.get(), a.byte_size()) == 0;
}

template <typename Named>
bool same_names(const std::vector<Named>& a, const std::vector<Named>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Named& x, const Named& y) { return x.name == y.name && x.value == y.value; });
}

bool same_frame(const Graph& a, const Graph& b) {
  return a.values.size() == b.values.size() && a.nodes.size() == b.nodes.size() && a.blocks.size() == b.blocks.size() &&
         same_names(a.inputs, b.inputs) && same_names(a.outputs, b.outputs) && same_names(a.weights, b.weights) &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](const Constant& x, const Constant& y) {
                      return x.value == y.value && x.on_host == y.on_host && same_bytes(x.tensor, y.tensor);
                    }) &&
         std::equal(a.blocks.begin(), a.blocks.end(), b.blocks.begin(),
                    [](const Block& x, const Block& y) { return x.nodes == y.nodes && x.results == y.results; });
}

/// Collects what has grown; false as soon as something else is different.
class Comparison {
 public:
  explicit Comparison(std::int64_t steps) : steps_(steps) {}

  bool add(NodeId node, std::uint32_t position, const Argument& a, const Argument& b) {
    if (a == b) return true;
    if (a.index() != b.index()) return false;
    if (const auto* number = std::get_if<std::int64_t>(&a)) {
      return grow(node, position, kNoId, *number, std::get<std::int64_t>(b));
    }
    const auto* list = std::get_if<std::vector<Int>>(&a);
    if (list == nullptr) return false;
    const auto& other = std::get<std::vector<Int>>(b);
    if (list->size() != other.size()) return false;
    for (std::uint32_t i = 0; i < list->size(); ++i) {
      if ((*list)[i] == other[i]) continue;
      if (!(*list)[i].known() || !other[i].known()) return false;
      if (!grow(node, position, i, (*list)[i].value, other[i].value)) return false;
    }
    return true;
  }

  std::vector<Growth> take() { return std::move(growth_); }

 private:
  bool grow(NodeId node, std::uint32_t position, std::uint32_t element, std::int64_t from, std::int64_t to) {
    if ((to - from) % steps_ != 0) return false;
    growth_.push_back({node, position, element, from, (to - from) / steps_});
    return true;
  }

  std::int64_t steps_;
  std::vector<Growth> growth_;
};

}  // namespace

std::optional<std::vector<Growth>> growth_between(const Graph& first, const Graph& later, std::int64_t steps) {
  if (!same_frame(first, later)) return std::nullopt;
  Comparison comparison(steps);
  for (NodeId id = 0; id < first.nodes.size(); ++id) {
    const Node& a = first.nodes[id];
    const Node& b = later.nodes[id];
    if (a.op != b.op || a.outputs != b.outputs || a.args.size() != b.args.size()) return std::nullopt;
    for (std::uint32_t i = 0; i < a.args.size(); ++i) {
      if (!comparison.add(id, i, a.args[i], b.args[i])) return std::nullopt;
    }
  }
  return comparison.take();
}

std::vector<ArgumentChange> changes_at(const Graph& first, const std::vector<Growth>& growth, std::int64_t steps) {
  std::vector<ArgumentChange> changes;
  for (const Growth& grown : growth) {
    const std::int64_t value = grown.value + grown.slope * steps;
    if (grown.element == kNoId) {
      changes.push_back({grown.node, grown.position, value});
      continue;
    }
    const bool same =
        !changes.empty() && changes.back().node == grown.node && changes.back().position == grown.position;
    if (!same) changes.push_back({grown.node, grown.position, first.nodes[grown.node].args[grown.position]});
    std::get<std::vector<Int>>(changes.back().value)[grown.element] = Int(value);
  }
  return changes;
}

GrowingGraph growing_graph(const std::function<Graph(std::int64_t step)>& build, std::int64_t first,
                           std::int64_t last) {
  GrowingGraph result;
  result.graph = std::make_shared<const Graph>(build(first));
  result.first = result.last = first;
  if (first == last) return result;
  const std::optional<std::vector<Growth>> growth = growth_between(*result.graph, build(first + 1), 1);
  if (!growth) return result;
  result.growth = *growth;
  const auto reaches = [&](std::int64_t step) {
    return growth_between(*result.graph, build(step), step - first) == growth;
  };
  result.last = first + 1;
  std::int64_t beyond = last + 1;  // the first that is known not to belong, or the end
  for (std::int64_t step = last; step > result.last;) {
    if (reaches(step)) {
      result.last = step;
    } else {
      beyond = step;
    }
    step = result.last + (beyond - result.last) / 2;
  }
  return result;
}

}  // namespace nongemm
