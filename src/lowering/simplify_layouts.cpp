#include "lowering/simplify_layouts.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lowering/graph_lowering.h"

namespace nongemm::onnx {
namespace {

/// A tensor as a rearrangement of an earlier one, whose dimensions are split as finely as any reshape on the way needs.
class Layout {
 public:
  explicit Layout(std::string source, const Shape& shape) : source_(std::move(source)) {
    for (const std::int64_t size : shape) dims_.push_back({add_axis(size)});
  }

  const std::string& source() const { return source_; }
  bool was_transposed() const { return was_transposed_; }

  Shape shape() const {
    Shape shape;
    for (const std::vector<std::size_t>& dim : dims_) shape.push_back(size_of(dim));
    return shape;
  }

  /// The elements lie as they do in the source.
  bool in_order() const {
    std::vector<std::size_t> order;
    for (const std::vector<std::size_t>& dim : dims_) {
      std::copy_if(dim.begin(), dim.end(), std::back_inserter(order),
                   [&](std::size_t axis) { return axes_[axis] > 1; });
    }
    return std::is_sorted(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return places_[a] < places_[b]; });
  }

  bool transpose(const std::vector<std::int64_t>& order) {
    if (order.size() != dims_.size()) return false;
    std::vector<std::vector<std::size_t>> dims;
    for (const std::int64_t dim : order) dims.push_back(dims_.at(static_cast<std::size_t>(dim)));
    dims_ = std::move(dims);
    was_transposed_ = true;
    return true;
  }

  /// False where a dimension of the target crosses one of ours.
  bool reshape(const Shape& shape) {
    std::vector<std::size_t> left;  // axes from last to first
    for (auto dim = dims_.rbegin(); dim != dims_.rend(); ++dim) left.insert(left.end(), dim->rbegin(), dim->rend());
    std::vector<std::vector<std::size_t>> dims;
    for (const std::int64_t wanted : shape) {
      std::vector<std::size_t> dim;
      std::int64_t size = 1;
      while (size < wanted) {
        if (left.empty()) return false;
        const std::size_t axis = left.back();
        left.pop_back();
        const std::int64_t rest = wanted / size;
        if (wanted % size != 0 || (rest % axes_[axis] != 0 && axes_[axis] % rest != 0)) return false;
        if (axes_[axis] > rest) left.push_back(split(axis, rest));
        dim.push_back(axis);
        size *= axes_[axis];
      }
      dims.push_back(std::move(dim));
    }
    if (std::any_of(left.begin(), left.end(), [&](std::size_t axis) { return axes_[axis] != 1; })) return false;
    dims_ = std::move(dims);
    return true;
  }

 private:
  std::size_t add_axis(std::int64_t size) {
    axes_.push_back(size);
    places_.push_back({static_cast<std::int64_t>(axes_.size())});
    return axes_.size() - 1;
  }

  /// The axis keeps the outer part; the inner part is a new one, behind it in the source. No other dimension has the
  /// axis.
  std::size_t split(std::size_t axis, std::int64_t outer) {
    const std::size_t inner = add_axis(axes_[axis] / outer);
    axes_[axis] = outer;
    places_[inner] = places_[axis];
    places_[axis].push_back(0);
    places_[inner].push_back(1);
    return inner;
  }

  std::int64_t size_of(const std::vector<std::size_t>& dim) const {
    std::int64_t size = 1;
    for (const std::size_t axis : dim) size *= axes_[axis];
    return size;
  }

  std::string source_;
  std::vector<std::int64_t> axes_;                 // sizes
  std::vector<std::vector<std::int64_t>> places_;  // by axis: where it stands in the source, to be compared
  std::vector<std::vector<std::size_t>> dims_;     // axes, outermost first
  bool was_transposed_ = false;
};

class Simplification {
 public:
  Simplification(ModelDef& model, const ShapeOf& shape_of) : model_(model), shape_of_(shape_of) {
    for (const Initializer& initializer : model.graph.initializers) {
      if (!initializer.is_weight() && initializer.dtype == DType::kInt64)
        shapes_.emplace(initializer.name, integers(initializer));
    }
    for (const ValueDef& output : model.graph.outputs) outputs_.insert(output.name);
  }

  std::size_t run() {
    GraphDef& graph = model_.graph;
    const std::size_t before = graph.nodes.size();
    std::vector<std::pair<std::string, std::string>> renamed;
    for (NodeDef& node : graph.nodes) {
      const Layout* layout = layout_after(node);
      if (layout == nullptr || !layout->was_transposed() || !layout->in_order()) continue;
      const std::string& source = layout->source();
      if (shape_of_(source) == layout->shape() && !outputs_.contains(node.outputs[0])) {
        renamed.emplace_back(node.outputs[0], source);
      } else {
        node = {"Reshape", node.name, {source, shape_constant(layout->shape())}, node.outputs, {}};
      }
    }
    for (const auto& [from, to] : renamed) {
      std::erase_if(graph.nodes, [&left = from](const NodeDef& node) { return node.outputs[0] == left; });
      rename_everywhere(graph, from, to);
    }
    for (auto& [shape, name] : constants_) {
      HostTensor data = HostTensor::from<std::int64_t>(DType::kInt64, {static_cast<std::int64_t>(shape.size())}, shape);
      graph.initializers.push_back({.name = name, .dtype = data.dtype, .shape = data.shape, .data = data});
    }
    prune(graph);
    return before - graph.nodes.size();
  }

 private:
  static Shape integers(const Initializer& initializer) {
    const auto* elements = initializer.data.as<std::int64_t>();
    return {elements, elements + element_count(initializer.shape)};
  }

  /// What the node makes of its operand's layout, or of the operand itself; nullptr when it is no such node.
  const Layout* layout_after(const NodeDef& node) {
    if (node.type != "Transpose" && node.type != "Reshape") return nullptr;
    const std::string& operand = node.inputs[0];
    const auto known = layouts_.find(operand);
    if (known != layouts_.end()) {
      Layout layout = known->second;
      if (apply(node, layout)) return keep(node, std::move(layout));
    }
    const std::optional<Shape> shape = shape_of_(operand);
    if (!shape || std::any_of(shape->begin(), shape->end(), [](std::int64_t size) { return size <= 0; }))
      return nullptr;
    Layout layout(operand, *shape);
    return apply(node, layout) ? keep(node, std::move(layout)) : nullptr;
  }

  bool apply(const NodeDef& node, Layout& layout) const {
    if (node.type == "Transpose") {
      for (const Attribute& attribute : node.attributes) {
        const auto* order = std::get_if<std::vector<std::int64_t>>(&attribute.value);
        if (attribute.name == "perm" && order != nullptr) return layout.transpose(*order);
      }
      return false;
    }
    const auto wanted = shapes_.find(node.inputs.at(1));
    if (wanted == shapes_.end()) return false;
    Shape shape = wanted->second;
    const Shape from = layout.shape();
    std::int64_t rest = std::accumulate(from.begin(), from.end(), std::int64_t{1}, std::multiplies<>());
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0 && i < from.size()) shape[i] = from[i];
      if (shape[i] > 0) rest /= shape[i];
    }
    std::replace(shape.begin(), shape.end(), std::int64_t{-1}, rest);
    return layout.reshape(shape);
  }

  const Layout* keep(const NodeDef& node, Layout layout) {
    return &layouts_.insert_or_assign(node.outputs[0], std::move(layout)).first->second;
  }

  std::string shape_constant(const Shape& shape) {
    const auto [constant, is_new] = constants_.try_emplace(shape);
    if (is_new) constant->second = "layout" + std::to_string(constants_.size());
    return constant->second;
  }

  ModelDef& model_;
  const ShapeOf& shape_of_;
  std::unordered_map<std::string, Shape> shapes_;  // of constants: what they say
  std::unordered_map<std::string, Layout> layouts_;
  std::unordered_set<std::string> outputs_;
  std::map<Shape, std::string> constants_;
};

}  // namespace

std::size_t simplify_layouts(ModelDef& model, const ShapeOf& shape_of) { return Simplification(model, shape_of).run(); }

}  // namespace nongemm::onnx
