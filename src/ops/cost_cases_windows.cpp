// Cases of operators that slide windows over maps, and of normalizations. The windows are walked one by one.
#include <array>

#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

struct Convolution {
  std::int64_t batch, in, out, groups, size, kernel, stride, padding, dilation;
  bool bias;
};
constexpr std::array<Convolution, kVariants> kConvolutions = {
    {{2, 4, 6, 1, 7, 3, 2, 1, 1, true}, {1, 4, 8, 4, 6, 2, 1, 0, 2, false}, {3, 2, 4, 2, 5, 1, 1, 0, 1, true}}};

Shape with_spatial(std::int64_t first, std::int64_t second, std::int64_t size, std::size_t spatial) {
  Shape shape = {first, second};
  shape.insert(shape.end(), spatial, size);
  return shape;
}

/// Places of a window along one dimension, found by moving it until it leaves the padded map.
std::int64_t places(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                    std::int64_t dilation) {
  std::int64_t found = 0;
  for (std::int64_t at = -padding; at + (kernel - 1) * dilation < size + padding; at += stride) ++found;
  return found;
}

/// @param decomposed as `convolution`, whose arguments are all given
Case convolution(const std::string& op, std::size_t spatial, bool transposed, bool decomposed) {
  return [=](Builder& b, int v) {
    const Convolution& c = kConvolutions[static_cast<std::size_t>(v)];
    const Shape input = with_spatial(c.batch, c.in, c.size, spatial);
    const Shape weight = transposed ? with_spatial(c.in, c.out / c.groups, c.kernel, spatial)
                                    : with_spatial(c.out, c.in / c.groups, c.kernel, spatial);
    const std::int64_t size = transposed ? (c.size - 1) * c.stride - 2 * c.padding + c.dilation * (c.kernel - 1) + 1
                                         : places(c.size, c.kernel, c.stride, c.padding, c.dilation);
    const Shape result = with_spatial(c.batch, c.out, size, spatial);
    const Arg bias = c.bias ? Arg(operand(b, {c.out})) : Arg(kNone);
    const auto all = [&](std::int64_t value) { return Arg(Shape(spatial, value)); };
    const Tensor x = operand(b, input);
    const Tensor w = operand(b, weight);
    if (decomposed) {
      b.call(op, {x, w, bias, all(c.stride), all(c.padding), all(c.dilation), transposed, all(0), c.groups});
    } else if (transposed) {
      b.call(op, {x, w, bias, all(c.stride), all(c.padding), all(0), c.groups, all(c.dilation)});
    } else {
      b.call(op, {x, w, bias, all(c.stride), all(c.padding), all(c.dilation), c.groups});
    }
    // Each element of the result takes one window of each channel of its group; transposed, each element of the input
    // gives to one.
    double operations = 0;
    const double from = transposed ? count(input) : count(result);
    const std::int64_t channels = transposed ? c.out / c.groups : c.in / c.groups;
    for (double element = 0; element < from; ++element) {
      for (std::int64_t channel = 0; channel < channels; ++channel) operations += 2 * count(Shape(spatial, c.kernel));
    }
    return Work{operations + (c.bias ? count(result) : 0), total({input, weight}) + (c.bias ? bytes({c.out}) : 0),
                bytes(result)};
  };
}

/// With the padding that keeps the size, or none.
Case named_padding(std::size_t spatial) {
  return [=](Builder& b, int v) {
    const Convolution& c = kConvolutions[static_cast<std::size_t>(v)];
    const bool same = v != 1;
    const std::int64_t stride = same ? 1 : c.stride;
    const Shape input = with_spatial(c.batch, c.in, c.size, spatial);
    const Shape weight = with_spatial(c.out, c.in / c.groups, c.kernel, spatial);
    const std::int64_t size = same ? c.size : places(c.size, c.kernel, stride, 0, c.dilation);
    const Shape result = with_spatial(c.batch, c.out, size, spatial);
    const Arg bias = c.bias ? Arg(operand(b, {c.out})) : Arg(kNone);
    const std::string name = "aten.conv" + std::to_string(spatial) + "d.padding";
    b.call(name, {operand(b, input), operand(b, weight), bias, Arg(Shape(spatial, stride)), same ? "same" : "valid",
                  Arg(Shape(spatial, c.dilation)), c.groups});
    const std::int64_t in_per_group = c.in / c.groups;
    const double operations = count(result) * static_cast<double>(in_per_group) * 2 * count(Shape(spatial, c.kernel));
    return Work{operations + (c.bias ? count(result) : 0), total({input, weight}) + (c.bias ? bytes({c.out}) : 0),
                bytes(result)};
  };
}

void add_convolutions(Cases& cases) {
  for (const std::size_t spatial : {1, 2, 3}) {
    cases["aten.conv" + std::to_string(spatial) + "d.padding"] = named_padding(spatial);
  }
  cases["aten.conv1d.default"] = convolution("aten.conv1d.default", 1, false, false);
  cases["aten.conv2d.default"] = convolution("aten.conv2d.default", 2, false, false);
  cases["aten.conv3d.default"] = convolution("aten.conv3d.default", 3, false, false);
  cases["aten.conv_transpose1d.default"] = convolution("aten.conv_transpose1d.default", 1, true, false);
  cases["aten.conv_transpose2d.input"] = convolution("aten.conv_transpose2d.input", 2, true, false);
  cases["aten.conv_transpose3d.input"] = convolution("aten.conv_transpose3d.input", 3, true, false);
  cases["aten.convolution.default"] = [](Builder& b, int v) {
    return convolution("aten.convolution.default", static_cast<std::size_t>(v) + 1, v == 2, true)(b, v);
  };
}

struct Pooling {
  std::int64_t size, kernel, stride, padding;
};
constexpr std::array<Pooling, kVariants> kPoolings = {{{8, 2, 2, 0}, {7, 3, 2, 1}, {6, 3, 1, 0}}};

Case pooling(const std::string& op, std::size_t spatial, bool indices) {
  return [=](Builder& b, int v) {
    const Pooling& p = kPoolings[static_cast<std::size_t>(v)];
    const Shape input = with_spatial(2, 3, p.size, spatial);
    const Shape result = with_spatial(2, 3, places(p.size, p.kernel, p.stride, p.padding, 1), spatial);
    const auto all = [&](std::int64_t value) { return Arg(Shape(spatial, value)); };
    b.call_all(op, {operand(b, input), all(p.kernel), all(p.stride), all(p.padding)});
    double operations = 0;
    for (double element = 0; element < count(result); ++element) operations += count(Shape(spatial, p.kernel));
    return Work{operations, bytes(input), bytes(result) + (indices ? bytes(result, 8) : 0)};
  };
}

/// The elements that each window of the result reaches, which may be others' as well.
Case adaptive(const std::string& op, std::size_t spatial) {
  return [=](Builder& b, int v) {
    constexpr std::array<std::int64_t, kVariants> kTo = {1, 3, 4};
    const std::int64_t size = 7;
    const std::int64_t to = kTo[static_cast<std::size_t>(v)];
    const Shape input = with_spatial(2, 3, size, spatial);
    b.call(op, {operand(b, input), Shape(spatial, to)});
    double along = 0;
    for (std::int64_t i = 0; i < to; ++i) {
      for (std::int64_t at = 0; at < size; ++at) {
        // at lies between i size / to, rounded down, and (i + 1) size / to, rounded up
        if ((at + 1) * to > i * size && at * to < (i + 1) * size) ++along;
      }
    }
    double operations = 2 * 3;
    for (std::size_t i = 0; i < spatial; ++i) operations *= along;
    return Work{operations, bytes(input), bytes(with_spatial(2, 3, to, spatial))};
  };
}

void add_poolings(Cases& cases) {
  for (std::size_t spatial = 1; spatial <= 3; ++spatial) {
    const std::string digit = std::to_string(spatial) + "d";
    for (const std::string kind : {"max_pool", "avg_pool"}) {
      const std::string op = "aten." + kind + digit + ".default";
      cases[op] = pooling(op, spatial, false);
    }
    const std::string op = "aten.adaptive_avg_pool" + digit + ".default";
    cases[op] = adaptive(op, spatial);
    if (spatial == 1) continue;
    const std::string with_indices = "aten.max_pool" + digit + "_with_indices.default";
    cases[with_indices] = pooling(with_indices, spatial, true);
    const std::string decomposed = "aten._adaptive_avg_pool" + digit + ".default";
    cases[decomposed] = adaptive(decomposed, spatial);
  }
}

/// Operations for each element of the result: sums of four, or sixteen, weighted neighbours.
void add_resizing(Cases& cases) {
  const std::map<std::string, double> kinds = {{"nearest", 0}, {"bilinear", 8}, {"bicubic", 32}};
  for (const auto& [kind, operations] : kinds) {
    for (const bool by_factor : {false, true}) {
      const std::string op = "aten.upsample_" + kind + "2d" + (by_factor ? ".vec" : ".default");
      const bool aligned = kind != "nearest";
      cases[op] = [=, per_element = operations](Builder& b, int v) {
        const Shape input = {2, 3, 4, 3 + v};
        const Shape result = {2, 3, 8, 2 * (3 + v)};
        const Arg size = by_factor ? Arg(kNone) : Arg(Shape{8, 2 * (3 + v)});
        if (aligned) {
          b.call(op, {operand(b, input), size, false, by_factor ? Arg(std::vector<double>{2, 2}) : Arg(kNone)});
        } else {
          b.call(op, {operand(b, input), size, by_factor ? Arg(std::vector<double>{2, 2}) : Arg(kNone)});
        }
        return Work{per_element * count(result), bytes(input), bytes(result)};
      };
    }
  }
  cases["aten.grid_sampler_2d.default"] = [](Builder& b, int v) {
    constexpr std::array kOperations = {8, 0, 32};  // bilinear, nearest, bicubic
    b.call("aten.grid_sampler_2d.default", {operand(b, {2, 3, 4, 4}), operand(b, {2, 5, 6, 2}), v, 0, false});
    const Shape result = {2, 3, 5, 6};
    return Work{kOperations[static_cast<std::size_t>(v)] * count(result), total({{2, 3, 4, 4}, {2, 5, 6, 2}}),
                bytes(result)};
  };
}

/// Of the data: mean, difference, square, sum, deviation, quotient, scale and shift. Recorded: scale and shift.
constexpr double kOfData = 8;
constexpr double kRecorded = 2;

void add_normalizations(Cases& cases) {
  const auto shape_of = [](int v) { return Shape{2, 4, 3 + v, 5}; };
  const std::int64_t channels = 4;
  for (const std::string op : {"aten.layer_norm.default", "aten.native_layer_norm.default", "aten.rms_norm.default"}) {
    cases[op] = [=](Builder& b, int v) {
      const Shape x = shape_of(v);
      const bool root_mean_square = op == "aten.rms_norm.default";
      const bool native = op == "aten.native_layer_norm.default";
      if (root_mean_square) {
        b.call(op, {operand(b, x), Shape{5}, operand(b, {5})});
      } else {
        b.call_all(op, {operand(b, x), Shape{5}, operand(b, {5}), operand(b, {5}), 1e-5});
      }
      const double statistics = native ? 2 * bytes({2, 4, 3 + v, 1}) : 0;
      return Work{(root_mean_square ? 4 : kOfData) * count(x), bytes(x) + bytes({5}) * (root_mean_square ? 1 : 2),
                  bytes(x) + statistics};
    };
  }
  cases["aten.group_norm.default"] = [=](Builder& b, int v) {
    b.call("aten.group_norm.default", {operand(b, shape_of(v)), 2, operand(b, {channels}), operand(b, {channels})});
    return Work{kOfData * count(shape_of(v)), bytes(shape_of(v)) + 2 * bytes({channels}), bytes(shape_of(v))};
  };
  cases["aten.native_group_norm.default"] = [=](Builder& b, int v) {
    b.call_all("aten.native_group_norm.default", {operand(b, shape_of(v)), operand(b, {channels}),
                                                  operand(b, {channels}), 2, channels, (3 + v) * 5, 2, 1e-5});
    return Work{kOfData * count(shape_of(v)), bytes(shape_of(v)) + 2 * bytes({channels}),
                bytes(shape_of(v)) + 2 * bytes({2, 2})};
  };
  const auto four = [=](Builder& b) { return operand(b, {channels}); };
  const auto batch_work = [=](int v, double operations, double statistics, int parameters) {
    return Work{operations * count(shape_of(v)), bytes(shape_of(v)) + parameters * bytes({channels}),
                bytes(shape_of(v)) + statistics};
  };
  cases["aten.batch_norm.default"] = [=](Builder& b, int v) {
    b.call("aten.batch_norm.default",
           {operand(b, shape_of(v)), four(b), four(b), four(b), four(b), false, 0.1, 1e-5, false});
    return batch_work(v, kRecorded, 0, 4);
  };
  cases["aten.instance_norm.default"] = [=](Builder& b, int v) {
    b.call("aten.instance_norm.default",
           {operand(b, shape_of(v)), four(b), four(b), kNone, kNone, true, 0.1, 1e-5, false});
    return batch_work(v, kOfData, 0, 2);
  };
  for (const std::string op : {"aten.native_batch_norm.default", "aten._native_batch_norm_legit.default"}) {
    cases[op] = [=](Builder& b, int v) {
      const bool training = v == 1;
      b.call_all(op, {operand(b, shape_of(v)), four(b), four(b), four(b), four(b), training, 0.1, 1e-5});
      return batch_work(v, training ? kOfData : kRecorded, training ? 2 * bytes({channels}) : 0, 4);
    };
  }
  cases["aten._native_batch_norm_legit.no_stats"] = [=](Builder& b, int v) {
    b.call_all("aten._native_batch_norm_legit.no_stats", {operand(b, shape_of(v)), four(b), four(b), true, 0.1, 1e-5});
    return batch_work(v, kOfData, 2 * bytes({channels}), 2);
  };
  cases["aten._native_batch_norm_legit_no_training.default"] = [=](Builder& b, int v) {
    b.call_all("aten._native_batch_norm_legit_no_training.default",
               {operand(b, shape_of(v)), four(b), four(b), four(b), four(b), 0.1, 1e-5});
    return batch_work(v, kRecorded, 0, 4);
  };
}

}  // namespace

Cases windows() {
  Cases cases;
  add_convolutions(cases);
  add_poolings(cases);
  add_resizing(cases);
  add_normalizations(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
