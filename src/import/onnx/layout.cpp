// Shapes, pieces and places of elements.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "import/onnx/call.h"

namespace nongemm::onnx {
namespace {

using Axes = std::vector<std::int64_t>;

std::int64_t wrapped(std::int64_t axis, std::int64_t rank) { return axis < 0 ? axis + rank : axis; }

/// Of an input whose values have to be known: a shape.
Axes known_integers(const OnnxCall& c, std::size_t input) {
  const KnownValue* value = c.known(input);
  if (value == nullptr) throw NotMapped();
  return value->integers();
}

void reshape(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  Axes shape = known_integers(c, 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && c.integer("allowzero", 0) == 0) shape[i] = x.size(static_cast<std::int64_t>(i));
  }
  c.give(c.call("aten.reshape.default", {x, Shape(shape)}));
}

void flatten(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = wrapped(c.integer("axis", 1), x.rank());
  std::int64_t rows = 1;
  for (std::int64_t i = 0; i < axis; ++i) {
    if (x.size(i) == kDynamic) throw NotMapped();
    rows *= x.size(i);
  }
  c.give(c.call("aten.reshape.default", {x, Shape{rows, -1}}));
}

void transpose(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  Axes order = c.integers("perm").value_or(Axes());
  for (std::int64_t i = x.rank(); order.size() < static_cast<std::size_t>(x.rank()) && i-- > 0;) order.push_back(i);
  c.give(c.call("aten.permute.default", {x, Shape(order)}));
}

void unsqueeze(OnnxCall& c) {
  Tensor x = c.tensor(0);
  Axes axes = c.integers("axes", 1).value_or(Axes());
  const std::int64_t rank = x.rank() + static_cast<std::int64_t>(axes.size());
  for (std::int64_t& axis : axes) axis = wrapped(axis, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t axis : axes) x = c.call("aten.unsqueeze.default", {x, axis});
  c.give(x);
}

void squeeze(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::optional<Axes> axes = c.integers("axes", 1);
  c.give(axes ? c.call("aten.squeeze.dims", {x, Shape(*axes)}) : c.call("aten.squeeze.default", {x}));
}

void concat(OnnxCall& c) {
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < c.inputs(); ++i) parts.push_back(c.tensor(i));
  c.give(c.call("aten.cat.default", {parts, c.integer("axis", 0)}));
}

void split(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.integer("axis", 0);
  const auto parts = static_cast<std::int64_t>(c.node().outputs.size());
  std::optional<Axes> sizes = c.integers("split", 1);
  if (!sizes) {
    if (x.size(axis) == kDynamic || parts < 1) throw NotMapped();
    const std::int64_t each = (x.size(axis) + parts - 1) / parts;
    sizes.emplace(static_cast<std::size_t>(parts), each);
    sizes->back() = x.size(axis) - each * (parts - 1);
  }
  const std::vector<Tensor> results = c.call_all("aten.split_with_sizes.default", {x, Shape(*sizes), axis});
  for (std::size_t i = 0; i < results.size(); ++i) c.give(results[i], i);
}

void slice(OnnxCall& c) {
  Tensor x = c.tensor(0);
  const std::optional<Axes> starts = c.integers("starts", 1);
  const std::optional<Axes> ends = c.integers("ends", 2);
  if (!starts || !ends) throw NotMapped();
  Axes axes = c.integers("axes", 3).value_or(Axes());
  for (std::size_t i = axes.size(); i < starts->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  Axes steps = c.integers("steps", 4).value_or(Axes());
  steps.resize(starts->size(), 1);
  if (ends->size() != starts->size() || axes.size() != starts->size()) throw NotMapped();
  for (std::size_t i = 0; i < starts->size(); ++i) {
    std::int64_t start = (*starts)[i];
    std::int64_t end = (*ends)[i];
    if (steps[i] == 0) throw NotMapped();
    if (steps[i] < 0) {  // forwards through what is turned round
      const std::int64_t size = x.size(axes[i]);
      if (size == kDynamic) throw NotMapped();
      start = size - 1 - std::clamp<std::int64_t>(start < 0 ? start + size : start, 0, size - 1);
      end = size - 1 - std::clamp<std::int64_t>(end < 0 ? end + size : end, -1, size - 1);
      x = c.call("aten.flip.default", {x, Shape{axes[i]}});
    }
    x = c.call("aten.slice.Tensor", {x, axes[i], start, end, std::abs(steps[i])});
  }
  c.give(x);
}

void expand(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  Axes shape = known_integers(c, 1);
  while (shape.size() < x.shape().size()) shape.insert(shape.begin(), 1);
  const std::size_t more = shape.size() - x.shape().size();
  for (std::size_t i = more; i < shape.size(); ++i) {
    if (shape[i] == 1) shape[i] = x.shape()[i - more];
  }
  c.give(c.call("aten.expand.default", {x, Shape(shape)}));
}

void tile(OnnxCall& c) { c.give(c.call("aten.repeat.default", {c.tensor(0), Shape(known_integers(c, 1))})); }

/// ONNX counts from the first dimension, beginnings before ends; torch from the last, in pairs.
void pad(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::optional<Axes> pads = c.integers("pads", 1);
  const auto rank = static_cast<std::size_t>(x.rank());
  if (!pads) throw NotMapped();
  Axes axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (c.has(3)) axes = known_integers(c, 3);
  if (pads->size() != 2 * axes.size()) throw NotMapped();
  Shape pairs(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto from_last = rank - 1 - static_cast<std::size_t>(wrapped(axes[i], x.rank()));
    pairs.at(2 * from_last) = (*pads)[i];
    pairs.at(2 * from_last + 1) = (*pads)[axes.size() + i];
  }
  while (pairs.size() > 2 && pairs.back() == 0 && pairs[pairs.size() - 2] == 0) pairs.resize(pairs.size() - 2);
  const std::string mode = c.text("mode", "constant");
  const KnownValue* value = c.known(2);
  if (c.has(2) && value == nullptr) throw NotMapped();
  if (mode != "constant") return c.give(c.call("aten.pad.default", {x, pairs, mode == "edge" ? "replicate" : mode}));
  const double number = value != nullptr && !value->numbers.empty() ? value->numbers[0] : c.number("value", 0);
  c.give(c.call("aten.pad.default", {x, pairs, "constant", number}));
}

void triangle(OnnxCall& c) {
  const KnownValue* k = c.known(1);
  if (c.has(1) && k == nullptr) throw NotMapped();
  const std::int64_t diagonal = k == nullptr ? 0 : k->integers().at(0);
  c.give(c.call(c.integer("upper", 1) != 0 ? "aten.triu.default" : "aten.tril.default", {c.tensor(0), diagonal}));
}

void shape(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t begin = std::clamp<std::int64_t>(wrapped(c.integer("start", 0), x.rank()), 0, x.rank());
  const std::int64_t end = std::clamp<std::int64_t>(wrapped(c.integer("end", x.rank()), x.rank()), begin, x.rank());
  KnownValue value;
  for (std::int64_t i = begin; i < end; ++i) {
    if (x.size(i) == kDynamic) throw NotMapped();
    value.numbers.push_back(static_cast<double>(x.size(i)));
  }
  value.shape = {end - begin};
  c.give_known(std::move(value));
}

void size_of_all(OnnxCall& c) {
  double count = 1;
  const Tensor x = c.tensor(0);
  for (const std::int64_t size : x.shape()) {
    if (size == kDynamic) throw NotMapped();
    count *= static_cast<double>(size);
  }
  c.give_known({DType::kInt64, {}, {count}});
}

void constant(OnnxCall& c) {
  const Attribute* attribute = c.node().find("value");
  if (c.node().find("value_int") != nullptr) {
    return c.give_known({DType::kInt64, {}, {static_cast<double>(c.integer("value_int", 0))}});
  }
  if (c.node().find("value_float") != nullptr) {
    return c.give_known({DType::kFloat32, {}, {c.number("value_float", 0)}});
  }
  if (const Attribute* list = c.node().find("value_floats")) {
    const auto* numbers = std::get_if<std::vector<double>>(&list->value);
    if (numbers == nullptr) throw NotMapped();
    return c.give_known({DType::kFloat32, {static_cast<std::int64_t>(numbers->size())}, *numbers});
  }
  if (const std::optional<Axes> list = c.integers("value_ints")) {
    return c.give_known(
        {DType::kInt64, {static_cast<std::int64_t>(list->size())}, std::vector<double>(list->begin(), list->end())});
  }
  const auto* tensor = attribute == nullptr ? nullptr : std::get_if<HostTensor>(&attribute->value);
  if (tensor == nullptr || tensor->dtype == DType::kUndefined) throw NotMapped();
  if (std::optional<KnownValue> value = known_value(*tensor)) return c.give_known(std::move(*value));
  c.give(c.constant(*tensor));
}

void constant_of_shape(OnnxCall& c) {
  const Attribute* attribute = c.node().find("value");
  const auto* tensor = attribute == nullptr ? nullptr : std::get_if<HostTensor>(&attribute->value);
  const std::optional<KnownValue> value = tensor == nullptr ? std::nullopt : known_value(*tensor);
  if (tensor != nullptr && (!value || value->numbers.size() != 1)) throw NotMapped();
  const double number = value ? value->numbers[0] : 0;
  const DType dtype = value ? value->dtype : DType::kFloat32;
  c.give(c.call("aten.full.default", {Shape(known_integers(c, 0)), number}, {{"dtype", dtype}}));
}

void identity(OnnxCall& c) {
  if (const KnownValue* value = c.known(0)) return c.give_known(*value);
  c.give(c.tensor(0));
}

constexpr std::array kRules = {
    OnnxRule{"Reshape", reshape},
    OnnxRule{"Flatten", flatten},
    OnnxRule{"Transpose", transpose},
    OnnxRule{"Unsqueeze", unsqueeze},
    OnnxRule{"Squeeze", squeeze},
    OnnxRule{"Concat", concat},
    OnnxRule{"Split", split},
    OnnxRule{"Slice", slice},
    OnnxRule{"Expand", expand},
    OnnxRule{"Tile", tile},
    OnnxRule{"Pad", pad},
    OnnxRule{"Trilu", triangle},
    OnnxRule{"Shape", shape},
    OnnxRule{"Size", size_of_all},
    OnnxRule{"Constant", constant},
    OnnxRule{"ConstantOfShape", constant_of_shape},
    OnnxRule{"Identity", identity},
    OnnxRule{"Dropout", identity},
};

}  // namespace

std::span<const OnnxRule> layout_rules() { return kRules; }

}  // namespace nongemm::onnx
