// Matrix multiplications, convolutions, normalizations, pooling, reductions.
#include <algorithm>
#include <array>

#include "import/onnx_call.h"

namespace nongemm::onnx {
namespace {

using Axes = std::vector<std::int64_t>;

Tensor swapped(OnnxCall& c, const Tensor& matrix) { return c.call("aten.t.default", {matrix}); }

void gemm(OnnxCall& c) {
  const Tensor a = c.tensor(0);
  const Tensor b = c.tensor(1);
  const double alpha = c.number("alpha", 1);
  const double beta = c.number("beta", 1);
  const bool trans_a = c.integer("transA", 0) != 0;
  const bool trans_b = c.integer("transB", 0) != 0;
  const Tensor bias = c.optional_tensor(2);
  if (!trans_a && trans_b && alpha == 1 && beta == 1 && (!bias || bias.rank() == 1)) {
    return c.give(c.call("aten.linear.default", {a, b, bias}));
  }
  const Tensor left = trans_a ? swapped(c, a) : a;
  const Tensor right = trans_b ? swapped(c, b) : b;
  if (!bias) {
    if (alpha != 1) throw NotMapped();
    return c.give(c.call("aten.mm.default", {left, right}));
  }
  c.give(c.call("aten.addmm.default", {bias, left, right}, {{"beta", beta}, {"alpha", alpha}}));
}

void matmul(OnnxCall& c) { c.give(c.call("aten.matmul.default", {c.tensor(0), c.tensor(1)})); }

void einsum(OnnxCall& c) {
  std::vector<Tensor> operands;
  for (std::size_t i = 0; i < c.inputs(); ++i) operands.push_back(c.tensor(i));
  c.give(c.call("aten.einsum.default", {c.text("equation", ""), operands}));
}

/// What convolutions and pooling share. Padding is the same on both sides, or there is no place for it.
struct Window {
  Shape kernel;
  Shape strides;
  Shape padding;
  Shape dilations;
};

Window window_of(const OnnxCall& c, std::size_t dims) {
  if (const std::string how = c.text("auto_pad", "NOTSET"); how != "NOTSET" && how != "VALID") throw NotMapped();
  Window window;
  window.kernel = c.integers("kernel_shape").value_or(Axes());
  window.strides = c.integers("strides").value_or(Axes(dims, 1));
  window.dilations = c.integers("dilations").value_or(Axes(dims, 1));
  const Axes pads = c.integers("pads").value_or(Axes(2 * dims, 0));
  if (pads.size() != 2 * dims) throw NotMapped();
  for (std::size_t i = 0; i < dims; ++i) {
    if (pads[i] != pads[dims + i]) throw NotMapped();
    window.padding.push_back(pads[i]);
  }
  return window;
}

/// Convolutions that pad one side more get a pad before them.
Tensor padded(OnnxCall& c, const Tensor& x, std::size_t dims, const Axes& pads) {
  Shape pairs;
  for (std::size_t i = dims; i-- > 0;) {
    pairs.push_back(pads.at(i));
    pairs.push_back(pads.at(dims + i));
  }
  return c.call("aten.pad.default", {x, pairs, "constant", 0.0});
}

void conv(OnnxCall& c) {
  Tensor x = c.tensor(0);
  const Tensor weight = c.tensor(1);
  const auto dims = static_cast<std::size_t>(std::max<std::int64_t>(weight.rank() - 2, 0));
  if (dims != 1 && dims != 2) throw NotMapped();
  Window window;
  const Axes pads = c.integers("pads").value_or(Axes(2 * dims, 0));
  const bool even =
      pads.size() == 2 * dims && std::equal(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(dims),
                                            pads.begin() + static_cast<std::ptrdiff_t>(dims));
  if (even) {
    window = window_of(c, dims);
  } else {
    x = padded(c, x, dims, pads);
    window.strides = c.integers("strides").value_or(Axes(dims, 1));
    window.dilations = c.integers("dilations").value_or(Axes(dims, 1));
    window.padding = Shape(dims, 0);
  }
  const char* op = dims == 1 ? "aten.conv1d.default" : "aten.conv2d.default";
  c.give(c.call(
      op, {x, weight, c.optional_tensor(2), window.strides, window.padding, window.dilations, c.integer("group", 1)}));
}

void conv_transpose(OnnxCall& c) {
  if (c.tensor(1).rank() != 4 || c.integers("output_shape")) throw NotMapped();
  const Window window = window_of(c, 2);
  const Shape more = c.integers("output_padding").value_or(Axes(2, 0));
  c.give(c.call("aten.conv_transpose2d.input", {c.tensor(0), c.tensor(1), c.optional_tensor(2), window.strides,
                                                window.padding, more, c.integer("group", 1), window.dilations}));
}

void max_pool(OnnxCall& c) {
  if (c.tensor(0).rank() != 4 || c.node().outputs.size() > 1) throw NotMapped();
  const Window window = window_of(c, 2);
  c.give(c.call("aten.max_pool2d.default", {c.tensor(0), window.kernel, window.strides, window.padding,
                                            window.dilations, c.integer("ceil_mode", 0) != 0}));
}

void average_pool(OnnxCall& c) {
  if (c.tensor(0).rank() != 4) throw NotMapped();
  const Window window = window_of(c, 2);
  c.give(c.call("aten.avg_pool2d.default", {c.tensor(0), window.kernel, window.strides, window.padding,
                                            c.integer("ceil_mode", 0) != 0, c.integer("count_include_pad", 0) != 0}));
}

void global_average_pool(OnnxCall& c) {
  if (c.tensor(0).rank() != 4) throw NotMapped();
  c.give(c.call("aten.adaptive_avg_pool2d.default", {c.tensor(0), Shape{1, 1}}));
}

void batch_norm(OnnxCall& c) {
  if (c.integer("training_mode", 0) != 0) throw NotMapped();
  c.give(c.call("aten.batch_norm.default", {c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4), false, 0.1,
                                            c.number("epsilon", 1e-5), true}));
}

/// The sizes from `axis` on, which a layer norm covers.
Shape sizes_from(const Tensor& x, std::int64_t axis) {
  const std::int64_t begin = axis < 0 ? axis + x.rank() : axis;
  Shape sizes;
  for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < x.rank(); ++i) sizes.push_back(x.size(i));
  return sizes;
}

void layer_norm(OnnxCall& c) {
  if (c.node().outputs.size() > 1) throw NotMapped();
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.layer_norm.default", {x, sizes_from(x, c.integer("axis", -1)), c.tensor(1), c.optional_tensor(2),
                                            c.number("epsilon", 1e-5), true}));
}

void rms_norm(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.rms_norm.default",
                {x, sizes_from(x, c.integer("axis", -1)), c.tensor(1), c.number("epsilon", 1e-5)}));
}

void instance_norm(OnnxCall& c) {
  c.give(c.call("aten.instance_norm.default",
                {c.tensor(0), c.tensor(1), c.tensor(2), kNone, kNone, true, 0.1, c.number("epsilon", 1e-5), true}));
}

void group_norm(OnnxCall& c) {
  if (c.opset() < 21) throw NotMapped();  // before, scale and bias were per group
  c.give(c.call("aten.group_norm.default",
                {c.tensor(0), c.integer("num_groups", 1), c.tensor(1), c.tensor(2), c.number("epsilon", 1e-5), true}));
}

/// Before opset 13 the operand was taken as a matrix, which is the same for the last axis.
std::int64_t softmax_axis(const OnnxCall& c, const Tensor& x) {
  const std::int64_t axis = c.integer("axis", c.opset() < 13 ? 1 : -1);
  const bool last = axis == -1 || axis == x.rank() - 1;
  if (c.opset() < 13 && !last) throw NotMapped();
  return axis;
}

void softmax(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.softmax.int", {x, softmax_axis(c, x)}));
}

void log_softmax(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.log_softmax.int", {x, softmax_axis(c, x)}));
}

/// Axes that are left out mean all of them.
Shape reduced_axes(const OnnxCall& c, const Tensor& x) {
  const std::optional<Axes> axes = c.integers("axes", 1);
  if (axes && !axes->empty()) return *axes;
  if (c.integer("noop_with_empty_axes", 0) != 0) throw NotMapped();
  Shape all;
  for (std::int64_t i = 0; i < x.rank(); ++i) all.push_back(i);
  return all;
}

void reduce(OnnxCall& c) {
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kOps = {{{"ReduceMean", "aten.mean.dim"},
                                                                             {"ReduceSum", "aten.sum.dim_IntList"},
                                                                             {"ReduceMax", "aten.amax.default"},
                                                                             {"ReduceMin", "aten.amin.default"}}};
  const Tensor x = c.tensor(0);
  for (const auto& [type, op] : kOps) {
    if (type == c.node().type) c.give(c.call(op, {x, reduced_axes(c, x), c.integer("keepdims", 1) != 0}));
  }
}

void arg_max(OnnxCall& c) {
  if (c.integer("select_last_index", 0) != 0) throw NotMapped();
  c.give(c.call("aten.argmax.default", {c.tensor(0), c.integer("axis", 0), c.integer("keepdims", 1) != 0}));
}

void cumulative_sum(OnnxCall& c) {
  const KnownValue* axis = c.known(1);
  if (axis == nullptr || c.integer("exclusive", 0) != 0 || c.integer("reverse", 0) != 0) throw NotMapped();
  c.give(c.call("aten.cumsum.default", {c.tensor(0), axis->integers().at(0)}));
}

void top_k(OnnxCall& c) {
  const KnownValue* k = c.known(1);
  if (k == nullptr || c.integer("largest", 1) == 0) throw NotMapped();
  const std::vector<Tensor> results =
      c.call_all("aten.topk.default", {c.tensor(0), k->integers().at(0), c.integer("axis", -1)});
  for (std::size_t i = 0; i < results.size(); ++i) c.give(results[i], i);
}

/// Of images: (X, roi, scales, sizes).
void resize(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  if (x.rank() != 4 || (!c.has(2) && !c.has(3))) throw NotMapped();
  Shape size;
  for (const std::int64_t dim : {2, 3}) {
    const auto at = static_cast<std::size_t>(dim);
    const KnownValue* value = c.known(c.has(3) ? 3 : 2);
    if (value == nullptr || value->numbers.size() != 4 || x.size(dim) == kDynamic) throw NotMapped();
    size.push_back(c.has(3) ? value->integers()[at]
                            : static_cast<std::int64_t>(static_cast<double>(x.size(dim)) * value->numbers[at]));
  }
  const std::string mode = c.text("mode", "nearest");
  const std::string where = c.text("coordinate_transformation_mode", "half_pixel");
  const bool corners = where == "align_corners";
  if (mode == "nearest") {
    if (where != "asymmetric" || c.text("nearest_mode", "round_prefer_floor") != "floor") throw NotMapped();
    return c.give(c.call("aten.upsample_nearest2d.vec", {x, size, kNone}));
  }
  if (!corners && where != "half_pixel" && where != "pytorch_half_pixel") throw NotMapped();
  if (mode == "cubic" && c.number("cubic_coeff_a", -0.75) != -0.75) throw NotMapped();
  const char* op = mode == "cubic" ? "aten.upsample_bicubic2d.vec" : "aten.upsample_bilinear2d.vec";
  c.give(c.call(op, {x, size, corners, kNone}));
}

constexpr std::array kRules = {
    OnnxRule{"Gemm", gemm},
    OnnxRule{"MatMul", matmul},
    OnnxRule{"Einsum", einsum},
    OnnxRule{"Conv", conv},
    OnnxRule{"ConvTranspose", conv_transpose},
    OnnxRule{"MaxPool", max_pool},
    OnnxRule{"AveragePool", average_pool},
    OnnxRule{"GlobalAveragePool", global_average_pool},
    OnnxRule{"BatchNormalization", batch_norm},
    OnnxRule{"LayerNormalization", layer_norm},
    OnnxRule{"RMSNormalization", rms_norm},
    OnnxRule{"InstanceNormalization", instance_norm},
    OnnxRule{"GroupNormalization", group_norm},
    OnnxRule{"Softmax", softmax},
    OnnxRule{"LogSoftmax", log_softmax},
    OnnxRule{"ReduceMean", reduce},
    OnnxRule{"ReduceSum", reduce},
    OnnxRule{"ReduceMax", reduce},
    OnnxRule{"ReduceMin", reduce},
    OnnxRule{"ArgMax", arg_max},
    OnnxRule{"CumSum", cumulative_sum},
    OnnxRule{"TopK", top_k},
    OnnxRule{"Resize", resize},
};

}  // namespace

std::span<const OnnxRule> layer_rules() { return kRules; }

}  // namespace nongemm::onnx
