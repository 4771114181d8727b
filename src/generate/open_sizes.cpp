#include "generate/open_sizes.h"

#include <algorithm>
#include <string>

namespace nongemm {
namespace {

/// What differs between two steps becomes unknown. Where a size is unknown, so are the strides that follow from it.
Type open_type(Type type, const Type& later) {
  if (type.strides != later.strides) type.strides.clear();
  for (std::size_t i = 0; i < type.shape.size() && i < later.shape.size(); ++i) {
    if (type.shape[i] != later.shape[i]) type.shape[i] = kDynamic;
  }
  return type;
}

/// The inputs that take the places of integers.
class Sizes {
 public:
  Sizes(Graph& graph, std::vector<GrowingSize>& sizes) : graph_(graph), sizes_(sizes) {}

  ValueId of(const Growth& growth) {
    const GrowingSize size = {growth.value, growth.slope};
    const auto known = std::find(sizes_.begin(), sizes_.end(), size);
    if (known != sizes_.end()) return values_[static_cast<std::size_t>(known - sizes_.begin())];
    const auto value = static_cast<ValueId>(graph_.values.size());
    Type& type = graph_.values.emplace_back().type;
    type.kind = Type::Kind::kInt;
    type.dtype = DType::kInt64;
    graph_.inputs.push_back({.value = value, .name = "size." + std::to_string(sizes_.size()), .kind = {}});
    sizes_.push_back(size);
    values_.push_back(value);
    return value;
  }

 private:
  Graph& graph_;
  std::vector<GrowingSize>& sizes_;
  std::vector<ValueId> values_;  // by size
};

}  // namespace

OpenGraph open_sizes(const GrowingGraph& growing, const Graph& last) {
  OpenGraph open;
  Graph graph = *growing.graph;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    graph.values[id].type = open_type(std::move(graph.values[id].type), last.values[id].type);
  }
  Sizes sizes(graph, open.sizes);
  for (const Growth& grown : growing.growth) {
    const ValueId size = sizes.of(grown);
    Argument& argument = graph.nodes[grown.node].args[grown.position];
    if (grown.element == kNoId) {
      argument = Use{size};
    } else {
      std::get<std::vector<Int>>(argument)[grown.element] = Int::of(size);
    }
  }
  open.graph = std::make_shared<const Graph>(std::move(graph));
  return open;
}

std::vector<std::int64_t> sizes_at(const OpenGraph& open, std::int64_t steps) {
  std::vector<std::int64_t> values;
  for (const GrowingSize& size : open.sizes) values.push_back(size.value + size.slope * steps);
  return values;
}

}  // namespace nongemm
