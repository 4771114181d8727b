// Reductions, running sums and selections.
#include <array>

#include "import/onnx/call.h"

namespace nongemm::onnx {
namespace {

using Axes = std::vector<std::int64_t>;

/// Axes that are left out mean all of them; nothing where they then mean none.
std::optional<Shape> reduced_axes(const OnnxCall& c, const Tensor& x) {
  const std::optional<Axes> axes = c.integers("axes", 1);
  if (axes && !axes->empty()) return *axes;
  if (c.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
  Shape all;
  for (std::int64_t i = 0; i < x.rank(); ++i) all.push_back(i);
  return all;
}

bool keeps_dims(const OnnxCall& c) { return c.integer("keepdims", 1) != 0; }

Tensor sum(OnnxCall& c, const Tensor& x, const Shape& axes) {
  return c.call("aten.sum.dim_IntList", {x, axes, keeps_dims(c)}, {{"dtype", x.dtype()}});
}

void reduce(OnnxCall& c) {
  constexpr std::array<std::pair<std::string_view, const char*>, 3> kOps = {
      {{"ReduceMean", "aten.mean.dim"}, {"ReduceMax", "aten.amax.default"}, {"ReduceMin", "aten.amin.default"}}};
  const Tensor x = c.tensor(0);
  const std::optional<Shape> axes = reduced_axes(c, x);
  if (!axes) return c.give(x);
  if (c.node().type == "ReduceMean" && !is_floating(x.dtype())) throw NotMapped();
  for (const auto& [type, op] : kOps) {
    if (type == c.node().type) c.give(c.call(op, {x, *axes, keeps_dims(c)}));
  }
}

/// Sums of something of the elements, and something of the sum.
void reduce_sum(OnnxCall& c) {
  const std::string& type = c.node().type;
  Tensor x = c.tensor(0);
  const std::optional<Shape> axes = reduced_axes(c, x);
  if (type == "ReduceSumSquare" || type == "ReduceL2") x = c.call("aten.mul.Tensor", {x, x});
  if (type == "ReduceL1") x = c.call("aten.abs.default", {x});
  if (type == "ReduceLogSumExp") x = c.call("aten.exp.default", {x});
  Tensor result = axes ? sum(c, x, *axes) : x;
  if (type == "ReduceL2") result = c.call("aten.sqrt.default", {result});
  if (type == "ReduceLogSum" || type == "ReduceLogSumExp") result = c.call("aten.log.default", {result});
  c.give(result);
}

/// The largest is taken out before, as everyone does, so that nothing overflows.
void reduce_log_sum_exp(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::optional<Shape> axes = reduced_axes(c, x);
  if (!axes || x.rank() == 0) return reduce_sum(c);
  Shape shape;
  for (std::int64_t i = 0; i < x.rank(); ++i) {
    bool gone = false;
    for (const std::int64_t axis : *axes) gone = gone || (axis < 0 ? axis + x.rank() : axis) == i;
    if (!gone || keeps_dims(c)) shape.push_back(gone ? 1 : x.size(i));
  }
  c.give(c.call_outside("aten.logsumexp.default", {{"self", x}, {"dim", *axes}, {"keepdim", keeps_dims(c)}},
                        OnnxCall::dense(x.dtype(), std::move(shape))));
}

void arg_extreme(OnnxCall& c) {
  if (c.integer("select_last_index", 0) != 0) throw NotMapped();
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.integer("axis", 0);
  if (c.node().type == "ArgMax") return c.give(c.call("aten.argmax.default", {x, axis, keeps_dims(c)}));
  c.give(c.call("aten.argmax.default", {c.call("aten.neg.default", {x}), axis, keeps_dims(c)}));
}

void cumulative_sum(OnnxCall& c) {
  const KnownValue* known = c.known(1);
  if (known == nullptr) throw NotMapped();
  const std::int64_t axis = known->integers().at(0);
  const Tensor given = c.tensor(0);
  const bool backwards = c.integer("reverse", 0) != 0;
  const Tensor x = backwards ? c.call("aten.flip.default", {given, Shape{axis}}) : given;
  Tensor sum = c.call("aten.cumsum.default", {x, axis}, {{"dtype", x.dtype()}});
  if (c.integer("exclusive", 0) != 0) sum = c.call("aten.sub.Tensor", {sum, x});
  c.give(backwards ? c.call("aten.flip.default", {sum, Shape{axis}}) : sum);
}

void top_k(OnnxCall& c) {
  const KnownValue* k = c.known(1);
  if (k == nullptr) throw NotMapped();
  const std::vector<Tensor> results =
      c.call_all("aten.topk.default",
                 {c.tensor(0), k->integers().at(0), c.integer("axis", -1), c.integer("largest", 1) != 0, true});
  for (std::size_t i = 0; i < results.size(); ++i) c.give(results[i], i);
}

constexpr std::array kRules = {
    OnnxRule{"ReduceMean", reduce},
    OnnxRule{"ReduceMax", reduce},
    OnnxRule{"ReduceMin", reduce},
    OnnxRule{"ReduceSum", reduce_sum},
    OnnxRule{"ReduceSumSquare", reduce_sum},
    OnnxRule{"ReduceL1", reduce_sum},
    OnnxRule{"ReduceL2", reduce_sum},
    OnnxRule{"ReduceLogSum", reduce_sum},
    OnnxRule{"ReduceLogSumExp", reduce_log_sum_exp},
    OnnxRule{"ArgMax", arg_extreme},
    OnnxRule{"ArgMin", arg_extreme},
    OnnxRule{"CumSum", cumulative_sum},
    OnnxRule{"TopK", top_k},
};

}  // namespace

std::span<const OnnxRule> reduction_rules() { return kRules; }

}  // namespace nongemm::onnx
