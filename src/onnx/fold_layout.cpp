#include "onnx/fold_layout.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace nongemm::onnx {
namespace {

using Known = std::optional<KnownValue>;
using Inputs = std::vector<const KnownValue*>;
using Axes = std::vector<std::int64_t>;

/// -1 for more than `most`: a file may write any numbers into a shape.
std::int64_t count_of(const Shape& shape, std::int64_t most) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || size > most) return -1;
    count *= size;
    if (count > most) return -1;
  }
  return count;
}

/// Every element of a result from the place that it has: `source(index)` gives its place in the operand. Nothing when
/// the result has more than `most`.
Known gathered(const KnownValue& data, Shape shape, std::int64_t most,
               const std::function<std::size_t(const Shape& index)>& source) {
  const std::int64_t count = count_of(shape, most);
  if (count < 0) return std::nullopt;
  KnownValue result{data.dtype, std::move(shape), {}};
  result.numbers.reserve(static_cast<std::size_t>(count));
  Shape index(result.shape.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t at = source(index);
    if (at >= data.numbers.size()) return std::nullopt;
    result.numbers.push_back(data.numbers[at]);
    for (std::size_t dim = index.size(); dim-- > 0;) {
      if (++index[dim] < result.shape[dim]) break;
      index[dim] = 0;
    }
  }
  return result;
}

std::size_t place_in(const Shape& shape, const Shape& index) {
  std::int64_t place = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) place = place * shape[i] + index[i];
  return static_cast<std::size_t>(place);
}

Known expanded(const KnownValue& data, const Shape& shape, std::int64_t most) {
  if (shape.size() < data.shape.size()) return std::nullopt;
  const std::size_t more = shape.size() - data.shape.size();
  for (std::size_t i = 0; i < data.shape.size(); ++i) {
    if (data.shape[i] != 1 && data.shape[i] != shape[more + i]) return std::nullopt;
  }
  Shape from(data.shape.size());
  return gathered(data, shape, most, [&](const Shape& index) {
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = data.shape[i] == 1 ? 0 : index[more + i];
    return place_in(data.shape, from);
  });
}

std::optional<Shape> common_shape(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) return std::nullopt;
    shape[shape.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

std::optional<Axes> list_attribute(const Operation& node, std::string_view name) {
  const Attribute* attribute = find_attribute(node, name);
  const auto* list = attribute == nullptr ? nullptr : std::get_if<Axes>(&attribute->value);
  return list == nullptr ? std::nullopt : std::optional(*list);
}

std::int64_t number_attribute(const Operation& node, std::string_view name, std::int64_t otherwise) {
  const Attribute* attribute = find_attribute(node, name);
  const auto* number = attribute == nullptr ? nullptr : std::get_if<std::int64_t>(&attribute->value);
  return number == nullptr ? otherwise : *number;
}

/// An attribute of older opsets that is an input of later ones.
std::optional<Axes> list_of(const Operation& node, const Inputs& inputs, std::string_view name, std::size_t input) {
  if (input < inputs.size() && inputs[input] != nullptr) return inputs[input]->integers();
  return list_attribute(node, name);
}

Known with_shape(const KnownValue& data, Shape shape) {
  const auto count = static_cast<std::int64_t>(data.numbers.size());
  // At least one, so that a dimension before one of 0 is not too large already.
  if (count_of(shape, std::max<std::int64_t>(count, 1)) != count) return std::nullopt;
  KnownValue result = data;
  result.shape = std::move(shape);
  return result;
}

Known reshape(const Operation& node, const KnownValue& data, const KnownValue& wanted) {
  Shape shape = wanted.integers();
  const bool zero_is_zero = number_attribute(node, "allowzero", 0) != 0;
  std::int64_t known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero && i < data.shape.size()) shape[i] = data.shape[i];
    if (shape[i] < 0) continue;
    known = count_of({known, shape[i]}, static_cast<std::int64_t>(std::max<std::size_t>(data.numbers.size(), 1)));
    if (known < 0) return std::nullopt;
  }
  for (std::int64_t& size : shape) {
    if (size == -1 && known > 0) size = static_cast<std::int64_t>(data.numbers.size()) / known;
  }
  return with_shape(data, std::move(shape));
}

Known unsqueeze(const KnownValue& data, Axes axes) {
  const auto rank = static_cast<std::int64_t>(data.shape.size() + axes.size());
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  Shape shape = data.shape;
  for (const std::int64_t axis : axes) {
    if (axis < 0 || axis > static_cast<std::int64_t>(shape.size())) return std::nullopt;
    shape.insert(shape.begin() + axis, 1);
  }
  return with_shape(data, std::move(shape));
}

Known squeeze(const KnownValue& data, const std::optional<Axes>& axes) {
  const auto rank = static_cast<std::int64_t>(data.shape.size());
  Shape shape;
  for (std::int64_t i = 0; i < rank; ++i) {
    const auto is_this = [&](std::int64_t axis) { return (axis < 0 ? axis + rank : axis) == i; };
    const bool named = !axes || std::any_of(axes->begin(), axes->end(), is_this);
    if (!named || data.shape[static_cast<std::size_t>(i)] != 1)
      shape.push_back(data.shape[static_cast<std::size_t>(i)]);
  }
  return with_shape(data, std::move(shape));
}

Known transpose(const Operation& node, const KnownValue& data) {
  Shape from(data.shape.size());
  Axes order(data.shape.size());
  std::iota(order.rbegin(), order.rend(), 0);
  if (const std::optional<Axes> given = list_attribute(node, "perm")) order = *given;
  if (order.size() != data.shape.size()) return std::nullopt;
  Shape shape;
  for (const std::int64_t axis : order) shape.push_back(data.shape.at(static_cast<std::size_t>(axis)));
  return gathered(data, std::move(shape), node.most_elements, [&](const Shape& index) {
    for (std::size_t i = 0; i < order.size(); ++i) from[static_cast<std::size_t>(order[i])] = index[i];
    return place_in(data.shape, from);
  });
}

/// One axis of a slice: begin, step and the number of elements.
struct Range {
  std::int64_t begin = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

std::optional<Range> range_of(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (step == 0) return std::nullopt;
  step = std::clamp(step, -size - 1, size + 1);  // beyond the first element, one way or the other
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? size : size - 1;
  begin = std::clamp(begin < 0 ? begin + size : begin, step > 0 ? lowest : 0, highest);
  end = std::clamp(end < 0 ? end + size : end, lowest, highest);
  const std::int64_t way = step > 0 ? end - begin : begin - end;
  const std::int64_t stride = step > 0 ? step : -step;
  return Range{begin, step, way > 0 ? (way + stride - 1) / stride : 0};
}

Known slice(const Operation& node, const Inputs& inputs) {
  const KnownValue& data = *inputs[0];
  const std::optional<Axes> begins = list_of(node, inputs, "starts", 1);
  const std::optional<Axes> ends = list_of(node, inputs, "ends", 2);
  if (!begins || !ends || begins->size() != ends->size() || data.numbers.empty()) return std::nullopt;
  Axes axes = list_of(node, inputs, "axes", 3).value_or(Axes());
  for (std::size_t i = axes.size(); i < begins->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  Axes steps = list_of(node, inputs, "steps", 4).value_or(Axes());
  steps.resize(begins->size(), 1);
  std::vector<Range> ranges;
  for (const std::int64_t size : data.shape) ranges.push_back({0, 1, size});
  for (std::size_t i = 0; i < begins->size(); ++i) {
    const auto axis =
        static_cast<std::size_t>(axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(ranges.size()) : axes[i]);
    if (axis >= ranges.size()) return std::nullopt;
    const std::optional<Range> range = range_of(data.shape[axis], (*begins)[i], (*ends)[i], steps[i]);
    if (!range) return std::nullopt;
    ranges[axis] = *range;
  }
  Shape shape;
  for (const Range& range : ranges) shape.push_back(range.count);
  Shape from(shape.size());
  return gathered(data, std::move(shape), node.most_elements, [&](const Shape& index) {
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = ranges[i].begin + index[i] * ranges[i].step;
    return place_in(data.shape, from);
  });
}

Known concat(const Operation& node, const Inputs& inputs) {
  Shape shape = inputs[0]->shape;
  std::int64_t axis = number_attribute(node, "axis", 0);
  axis += axis < 0 ? static_cast<std::int64_t>(shape.size()) : 0;
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) return std::nullopt;
  const auto along = static_cast<std::size_t>(axis);
  KnownValue all{inputs[0]->dtype, {}, {}};  // one operand behind the other
  std::vector<std::int64_t> begins;
  std::vector<std::size_t> offsets;
  shape[along] = 0;
  for (const KnownValue* input : inputs) {
    if (input->shape.size() != shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (i != along && input->shape[i] != shape[i]) return std::nullopt;
    }
    begins.push_back(shape[along]);
    offsets.push_back(all.numbers.size());
    shape[along] += input->shape[along];
    all.numbers.insert(all.numbers.end(), input->numbers.begin(), input->numbers.end());
  }
  return gathered(all, shape, node.most_elements, [&](const Shape& index) {
    const auto behind = std::upper_bound(begins.begin(), begins.end(), index[along]);
    const auto operand = static_cast<std::size_t>(behind - begins.begin()) - 1;
    Shape from = index;
    from[along] -= begins[operand];
    return offsets[operand] + place_in(inputs[operand]->shape, from);
  });
}

Known gather(const Operation& node, const KnownValue& data, const KnownValue& indices) {
  std::int64_t axis = number_attribute(node, "axis", 0);
  axis += axis < 0 ? static_cast<std::int64_t>(data.shape.size()) : 0;
  if (axis < 0 || axis >= static_cast<std::int64_t>(data.shape.size())) return std::nullopt;
  const auto along = static_cast<std::size_t>(axis);
  Axes places = indices.integers();
  for (std::int64_t& place : places) {
    place += place < 0 ? data.shape[along] : 0;
    if (place < 0 || place >= data.shape[along]) return std::nullopt;
  }
  Shape shape(data.shape.begin(), data.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + axis + 1, data.shape.end());
  const std::size_t rank = indices.shape.size();
  return gathered(data, std::move(shape), node.most_elements, [&](const Shape& index) {
    const Shape which(index.begin() + axis, index.begin() + axis + static_cast<std::ptrdiff_t>(rank));
    Shape from(index.begin(), index.begin() + axis);
    from.push_back(places.at(place_in(indices.shape, which)));
    from.insert(from.end(), index.begin() + axis + static_cast<std::ptrdiff_t>(rank), index.end());
    return place_in(data.shape, from);
  });
}

Known tile(const KnownValue& data, const KnownValue& repeats, std::int64_t most) {
  const Axes times = repeats.integers();
  if (times.size() != data.shape.size()) return std::nullopt;
  Shape shape = data.shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    // One at a time: a product of two numbers from a file could overflow.
    shape[i] = count_of({shape[i], times[i]}, most);
    if (shape[i] < 0) return std::nullopt;
  }
  Shape from(shape.size());
  return gathered(data, std::move(shape), most, [&](const Shape& index) {
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = index[i] % data.shape[i];
    return place_in(data.shape, from);
  });
}

Known where(const KnownValue& condition, const KnownValue& yes, const KnownValue& no, std::int64_t most) {
  const std::optional<Shape> both = common_shape(yes.shape, no.shape);
  const std::optional<Shape> shape = both ? common_shape(condition.shape, *both) : std::nullopt;
  if (!shape) return std::nullopt;
  const Known decides = expanded(condition, *shape, most);
  Known result = expanded(yes, *shape, most);
  const Known otherwise = expanded(no, *shape, most);
  if (!decides || !result || !otherwise) return std::nullopt;
  for (std::size_t i = 0; i < result->numbers.size(); ++i) {
    if (decides->numbers[i] == 0) result->numbers[i] = otherwise->numbers[i];
  }
  return result;
}

}  // namespace

Known broadcast(const KnownValue& a, const KnownValue& b, std::int64_t most, double (*apply)(double, double)) {
  const std::optional<Shape> shape = common_shape(a.shape, b.shape);
  if (!shape) return std::nullopt;
  Known result = expanded(a, *shape, most);
  const Known other = expanded(b, *shape, most);
  if (!result || !other) return std::nullopt;
  for (std::size_t i = 0; i < result->numbers.size(); ++i) {
    result->numbers[i] = apply(result->numbers[i], other->numbers[i]);
  }
  return result;
}

Known fold_layout(const Operation& node, const Inputs& inputs) {
  const KnownValue& first = *inputs[0];
  const KnownValue* second = inputs.size() > 1 ? inputs[1] : nullptr;
  const bool all = std::none_of(inputs.begin(), inputs.end(), [](const KnownValue* input) { return input == nullptr; });
  constexpr std::int64_t kAxesAreInput = 13;
  if (node.type == "Reshape" && second != nullptr) return reshape(node, first, *second);
  if (node.type == "Transpose") return transpose(node, first);
  if (node.type == "Slice") return slice(node, inputs);
  if (node.type == "Concat" && all) return concat(node, inputs);
  if (node.type == "Gather" && second != nullptr) return gather(node, first, *second);
  if (node.type == "Where" && all && inputs.size() == 3)
    return where(first, *inputs[1], *inputs[2], node.most_elements);
  if (node.type == "Tile" && second != nullptr) return tile(first, *second, node.most_elements);
  if (node.type == "Expand" && second != nullptr) {
    const std::optional<Shape> shape = common_shape(first.shape, second->integers());
    return shape ? expanded(first, *shape, node.most_elements) : std::nullopt;
  }
  const std::optional<Axes> axes = list_of(node, inputs, "axes", node.opset < kAxesAreInput ? SIZE_MAX : 1);
  if (node.type == "Unsqueeze" && axes) return unsqueeze(first, *axes);
  if (node.type == "Squeeze") return squeeze(first, axes);
  return std::nullopt;
}

}  // namespace nongemm::onnx
