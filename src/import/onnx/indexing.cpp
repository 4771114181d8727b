// Elements by their places.
#include <algorithm>
#include <array>
#include <optional>

#include "import/onnx/call.h"
#include "import/onnx/tensors.h"
#include "onnx/wire.h"

namespace nongemm::onnx {
namespace {

std::int64_t wrapped(std::int64_t axis, std::int64_t rank) { return axis < 0 ? axis + rank : axis; }

void gather(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = wrapped(c.integer("axis", 0), x.rank());
  const KnownValue* known = c.known(1);
  if (known != nullptr && known->shape.empty()) {
    return c.give(c.call("aten.select.int", {x, axis, known->integers()[0]}));
  }
  const Tensor indices = c.tensor(1);
  const bool table = axis == 0 && x.rank() == 2 && is_floating(x.dtype()) && known == nullptr;
  if (table) return c.give(c.call("aten.embedding.default", {x, indices}));
  std::vector<Tensor> places(static_cast<std::size_t>(axis));
  places.push_back(indices);
  c.give(c.call("aten.index.Tensor", {x, places}));
}

/// Operand 1 as places along an axis. They count from the end when they are negative, which PyTorch's gather and
/// scatter do not know. Those that the file stores are counted here.
Tensor places_along(OnnxCall& c, const Tensor& x, std::int64_t axis) {
  std::optional<KnownValue> stored = c.stored(1);
  if (stored && std::any_of(stored->numbers.begin(), stored->numbers.end(), [](double place) { return place < 0; })) {
    if (x.size(axis) == kDynamic) throw NotMapped();
    for (double& place : stored->numbers) place += place < 0 ? static_cast<double>(x.size(axis)) : 0;
    stored->dtype = DType::kInt64;
    return c.constant(tensor_of(*stored));
  }
  const Tensor places = c.tensor(1);
  return places.dtype() == DType::kInt64 ? places : c.call("aten.to.dtype", {places, DType::kInt64});
}

void gather_elements(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = wrapped(c.integer("axis", 0), x.rank());
  c.give(c.call("aten.gather.default", {x, axis, places_along(c, x, axis)}));
}

/// The columns of a list of places.
std::vector<Tensor> columns(OnnxCall& c, const Tensor& places) {
  const std::int64_t count = places.size(-1);
  if (count < 1) throw NotMapped();
  std::vector<Tensor> each;
  for (std::int64_t i = 0; i < count; ++i) each.push_back(c.call("aten.select.int", {places, -1, i}));
  return each;
}

void gather_nd(OnnxCall& c) {
  if (c.integer("batch_dims", 0) != 0) throw NotMapped();
  c.give(c.call("aten.index.Tensor", {c.tensor(0), columns(c, c.tensor(1))}));
}

void scatter_nd(OnnxCall& c) {
  const std::string how = c.text("reduction", "none");
  if (how != "none" && how != "add") throw NotMapped();
  const Tensor x = c.tensor(0);
  c.give(c.call_outside(
      "aten.index_put.default",
      {{"self", x}, {"indices", columns(c, c.tensor(1))}, {"values", c.tensor(2)}, {"accumulate", how == "add"}},
      OnnxCall::dense(x.dtype(), x.shape())));
}

void scatter_elements(OnnxCall& c) {
  const std::string how = c.text("reduction", "none");
  if (how != "none" && how != "add") throw NotMapped();
  const Tensor x = c.tensor(0);
  const std::int64_t axis = wrapped(c.integer("axis", 0), x.rank());
  const Tensor places = places_along(c, x, axis);
  c.give(c.call_outside(how == "add" ? "aten.scatter_add.default" : "aten.scatter.src",
                        {{"self", x}, {"dim", axis}, {"index", places}, {"src", c.tensor(2)}},
                        OnnxCall::dense(x.dtype(), x.shape())));
}

/// ONNX gives one row per dimension.
void non_zero(OnnxCall& c) {
  c.give(c.call("aten.permute.default", {c.call("aten.nonzero.default", {c.tensor(0)}), Shape{1, 0}}));
}

/// (indices, depth, [off, on])
void one_hot(OnnxCall& c) {
  const KnownValue* depth = c.known(1);
  const KnownValue* values = c.known(2);
  if (depth == nullptr || depth->numbers.size() != 1 || values == nullptr || values->numbers.size() != 2) {
    throw NotMapped();
  }
  const Tensor indices = c.tensor(0);
  const std::int64_t count = depth->integers()[0];
  constexpr std::int64_t kMost = 1 << 20;
  if (count < 1 || count > kMost) throw NotMapped();
  const std::int64_t axis = wrapped(c.integer("axis", -1), indices.rank() + 1);
  Shape shape(static_cast<std::size_t>(indices.rank()) + 1, 1);
  shape.at(static_cast<std::size_t>(axis)) = count;
  const Tensor classes = c.call("aten.reshape.default", {c.call("aten.arange.default", {count}), shape});
  // Places count from the end when they are negative; what lies outside on either side is nowhere.
  const Tensor places = c.call("aten.unsqueeze.default", {c.call("aten.to.dtype", {indices, DType::kInt64}), axis});
  const Tensor from_end = c.call("aten.sub.Tensor", {classes, count});
  const Tensor hit = c.call("aten.logical_or.default", {c.call("aten.eq.Tensor", {places, classes}),
                                                        c.call("aten.eq.Tensor", {places, from_end})});
  const double off = values->numbers[0];
  const double on = values->numbers[1];
  const Tensor numbers = c.call("aten.to.dtype", {hit, values->dtype});
  if (off == 0 && on == 1) return c.give(numbers);
  const auto as_number = [&](double number) {
    return is_floating(values->dtype) ? Arg(number) : Arg(static_cast<std::int64_t>(number));
  };
  c.give(c.call("aten.add.Tensor", {c.call("aten.mul.Tensor", {numbers, as_number(on - off)}), as_number(off)}));
}

/// Ones on a diagonal.
void eye_like(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  if (x.rank() != 2 || x.size(0) == kDynamic || x.size(1) == kDynamic) throw NotMapped();
  const auto wanted = static_cast<std::int32_t>(c.integer("dtype", 0));
  const DType dtype = wanted != 0 ? dtype_of(wanted) : x.dtype();
  if (dtype == DType::kUndefined) throw NotMapped();
  const Tensor rows = c.call("aten.unsqueeze.default", {c.call("aten.arange.default", {x.size(0)}), 1});
  const Tensor columns = c.call("aten.arange.default", {x.size(1)});
  const Tensor diagonal = c.call("aten.add.Tensor", {rows, c.integer("k", 0)});
  c.give(c.call("aten.to.dtype", {c.call("aten.eq.Tensor", {diagonal, columns}), dtype}));
}

void range(OnnxCall& c) {
  const KnownValue* begin = c.known(0);
  const KnownValue* end = c.known(1);
  const KnownValue* step = c.known(2);
  if (begin == nullptr || end == nullptr || step == nullptr) throw NotMapped();
  const auto number = [&](const KnownValue& value) {
    return is_floating(value.dtype) ? Arg(value.numbers.at(0)) : Arg(value.integers().at(0));
  };
  c.give(c.call("aten.arange.start_step", {number(*begin), number(*end), number(*step)}, {{"dtype", begin->dtype}}));
}

constexpr std::array kRules = {
    OnnxRule{"Gather", gather},
    OnnxRule{"GatherElements", gather_elements},
    OnnxRule{"GatherND", gather_nd},
    OnnxRule{"ScatterND", scatter_nd},
    OnnxRule{"ScatterElements", scatter_elements},
    OnnxRule{"NonZero", non_zero},
    OnnxRule{"OneHot", one_hot},
    OnnxRule{"EyeLike", eye_like},
    OnnxRule{"Range", range},
};

}  // namespace

std::span<const OnnxRule> indexing_rules() { return kRules; }

}  // namespace nongemm::onnx
