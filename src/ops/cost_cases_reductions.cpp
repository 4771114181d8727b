// Cases of reductions, and of operators that select: one operation for each element that is looked at, unless said
// otherwise.
#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

const std::vector<Shape> kShapes = {{2, 3, 4}, {6, 5}, {1, 7, 2, 3}};

Shape shape_of(int variant) { return kShapes[static_cast<std::size_t>(variant)]; }

Shape without_last(Shape shape) {
  shape.pop_back();
  return shape;
}

/// Over everything.
Case whole(const std::string& op, int width_out = 4) {
  return [=](Builder& b, int v) {
    b.call(op, {operand(b, shape_of(v))});
    return Work{count(shape_of(v)), bytes(shape_of(v)), static_cast<double>(width_out)};
  };
}

/// Over the last dimension, given as a number or as a list.
Case last(const std::string& op, bool list, double per_element = 1, int width_out = 4, bool indices = false) {
  return [=](Builder& b, int v) {
    const Shape shape = shape_of(v);
    b.call_all(op, {operand(b, shape), list ? Arg(Shape{-1}) : Arg(-1)});
    const Shape result = without_last(shape);
    return Work{per_element * count(shape), bytes(shape), bytes(result, width_out) + (indices ? bytes(result, 8) : 0)};
  };
}

void add_distances(Cases& cases) {
  // A difference, a power and an addition for each number of each pair, and a root for the pair.
  const auto distance = [](double pairs, double width) { return pairs * (3 * width + 1); };
  for (const std::string op : {"aten.cdist.default", "aten._cdist_forward.default"}) {
    cases[op] = [=](Builder& b, int v) {
      const Shape first = {2, 3 + v, 5};
      const Shape second = {2, 4, 5};
      b.call(op, {operand(b, first), operand(b, second), 2.0, kNone});
      double pairs = 0;
      for (std::int64_t n = 0; n < 2; ++n) {
        for (std::int64_t i = 0; i < 3 + v; ++i) {
          for (std::int64_t j = 0; j < 4; ++j) ++pairs;
        }
      }
      return Work{distance(pairs, 5), total({first, second}), bytes({2, 3 + v, 4})};
    };
  }
  cases["aten._pdist_forward.default"] = [=](Builder& b, int v) {
    const std::int64_t rows = 3 + v;
    b.call("aten._pdist_forward.default", {operand(b, {rows, 5})});
    double pairs = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = i + 1; j < rows; ++j) ++pairs;
    }
    return Work{distance(pairs, 5), bytes({rows, 5}), 4 * pairs};
  };
}

void add_selections(Cases& cases) {
  cases["aten.topk.default"] = [](Builder& b, int v) {
    Shape result = shape_of(v);
    result.back() = 2;
    b.call_all("aten.topk.default", {operand(b, shape_of(v)), 2});
    return Work{count(shape_of(v)), bytes(shape_of(v)), bytes(result) + bytes(result, 8)};
  };
  cases["aten.index_copy_.default"] = [](Builder& b, int v) {
    const Shape n = {1 + v};
    b.call("aten.index_copy_.default", {operand(b, {9}), 0, operand(b, n, DType::kInt64), operand(b, n)});
    return Work{0, bytes(n, 8) + bytes(n), bytes(n)};
  };
  cases["aten.multinomial.default"] = [](Builder& b, int v) {
    b.call("aten.multinomial.default", {operand(b, {3 + v, 16}), 2});
    return Work{count({3 + v, 16}), bytes({3 + v, 16}), bytes({3 + v, 2}, 8)};
  };
  cases["aten.sort.default"] = [](Builder& b, int v) {
    b.call_all("aten.sort.default", {operand(b, shape_of(v))});
    return Work{count(shape_of(v)), bytes(shape_of(v)), bytes(shape_of(v)) + bytes(shape_of(v), 8)};
  };
  cases["aten.histc.default"] = [](Builder& b, int v) {
    b.call("aten.histc.default", {operand(b, shape_of(v)), 4 + v, 0, 3});
    return Work{count(shape_of(v)), bytes(shape_of(v)), bytes({4 + v})};
  };
  // How many distinct values there are only the run knows.
  cases["aten._unique2.default"] = [](Builder& b, int v) {
    b.call_all("aten._unique2.default", {operand(b, shape_of(v))});
    return Work{count(shape_of(v)), bytes(shape_of(v)), kUnknownWork};
  };
  // Pairs of boxes, about twelve operations for each pair that is not itself.
  cases["torchvision.nms.default"] = [](Builder& b, int v) {
    const std::int64_t boxes = 10 * (v + 1);
    b.call("torchvision.nms.default", {operand(b, {boxes, 4}), operand(b, {boxes}), 0.5});
    return Work{6.0 * static_cast<double>(boxes * boxes), total({{boxes, 4}, {boxes}}), kUnknownWork};
  };
  // Four weighted neighbours of each point; how many points a region has without a given number is the data's.
  cases["torchvision.roi_align.default"] = [](Builder& b, int v) {
    const std::int64_t points = v;
    b.call("torchvision.roi_align.default", {operand(b, {1, 3, 8, 8}), operand(b, {5, 5}), 0.5, 2, 2, points, false});
    const Shape result = {5, 3, 2, 2};
    const double operations = 8.0 * static_cast<double>(points * points) * count(result);
    return Work{points == 0 ? kUnknownWork : operations, total({{1, 3, 8, 8}, {5, 5}}), bytes(result)};
  };
}

/// Operations of a radix-2 transform along one dimension, butterfly by butterfly: a product of complex numbers and two
/// sums, each in its operations of real ones.
double butterflies(std::int64_t length) {
  constexpr double kProduct = 4 + 2;
  constexpr double kSum = 2;
  double operations = 0;
  for (std::int64_t half = 1; half < length; half *= 2) {
    for (std::int64_t block = 0; block < length; block += 2 * half) {
      for (std::int64_t i = 0; i < half; ++i) operations += kProduct + 2 * kSum;
    }
  }
  return operations;
}

/// Along the dimensions 0 and 1 of powers of two, one line after another.
double transform_work(const Shape& shape) {
  double operations = 0;
  for (std::int64_t line = 0; line < shape[1] * shape[2]; ++line) operations += butterflies(shape[0]);
  for (std::int64_t line = 0; line < shape[0] * shape[2]; ++line) operations += butterflies(shape[1]);
  return operations;
}

const std::vector<Shape> kPowers = {{4, 8, 3}, {2, 2, 1}, {16, 4, 5}};

Shape half_of(const Shape& s) { return {s[0], s[1] / 2 + 1, s[2]}; }

/// torch.fft: one dimension, the first, of real numbers; several are transformed as complex ones.
void add_torch_transforms(Cases& cases) {
  const auto one = [](const Shape& s) {
    double operations = 0;
    for (std::int64_t line = 0; line < s[1] * s[2]; ++line) operations += butterflies(s[0]);
    return operations;
  };
  for (const std::string op : {"fft", "ifft"}) {
    cases["aten.fft_" + op + ".default"] = [=](Builder& b, int v) {
      const Shape& shape = kPowers[static_cast<std::size_t>(v)];
      b.call("aten.fft_" + op + ".default", {operand(b, {3, shape[1], shape[2]}), shape[0], 0});  // cut or filled up
      return Work{one(shape) / 2, bytes({3, shape[1], shape[2]}), bytes(shape, 8)};
    };
    for (const std::string many : {"2", "n"}) {
      cases["aten.fft_" + op + many + ".default"] = [=](Builder& b, int v) {
        const Shape& shape = kPowers[static_cast<std::size_t>(v)];
        b.call("aten.fft_" + op + many + ".default", {operand(b, shape), kNone, Shape{0, 1}});
        return Work{transform_work(shape), bytes(shape), bytes(shape, 8)};
      };
    }
  }
  cases["aten.fft_rfft.default"] = [=](Builder& b, int v) {
    const Shape& shape = kPowers[static_cast<std::size_t>(v)];
    b.call("aten.fft_rfft.default", {operand(b, shape), kNone, 0});
    return Work{one(shape) / 2, bytes(shape), bytes({shape[0] / 2 + 1, shape[1], shape[2]}, 8)};
  };
  cases["aten.fft_irfft.default"] = [=](Builder& b, int v) {
    const Shape& shape = kPowers[static_cast<std::size_t>(v)];
    const Shape half = {shape[0] / 2 + 1, shape[1], shape[2]};
    b.call("aten.fft_irfft.default", {operand(b, half, DType::kComplex64), kNone, 0});
    return Work{one(shape) / 2, bytes(half, 8), bytes(shape)};
  };
  for (const std::string many : {"2", "n"}) {
    cases["aten.fft_rfft" + many + ".default"] = [=](Builder& b, int v) {
      const Shape& shape = kPowers[static_cast<std::size_t>(v)];
      b.call("aten.fft_rfft" + many + ".default", {operand(b, shape), Shape{shape[0], shape[1]}, Shape{0, 1}});
      return Work{transform_work(shape) / 2, bytes(shape), bytes(half_of(shape), 8)};
    };
    cases["aten.fft_irfft" + many + ".default"] = [=](Builder& b, int v) {
      const Shape& shape = kPowers[static_cast<std::size_t>(v)];
      b.call("aten.fft_irfft" + many + ".default", {operand(b, half_of(shape), DType::kComplex64), kNone, Shape{0, 1}});
      return Work{transform_work(shape) / 2, bytes(half_of(shape), 8), bytes(shape)};
    };
  }
}

void add_transforms(Cases& cases) {
  cases["aten._fft_c2c.default"] = [](Builder& b, int v) {
    const Shape& shape = kPowers[static_cast<std::size_t>(v)];
    b.call("aten._fft_c2c.default", {operand(b, shape, DType::kComplex64), Shape{0, 1}, 0, true});
    return Work{transform_work(shape), bytes(shape, 8), bytes(shape, 8)};
  };
  // Of real numbers two transforms are as much work as one of complex ones.
  cases["aten._fft_r2c.default"] = [=](Builder& b, int v) {
    const Shape& shape = kPowers[static_cast<std::size_t>(v)];
    const bool one_sided = v != 1;
    b.call("aten._fft_r2c.default", {operand(b, shape), Shape{0, 1}, 0, one_sided});
    return Work{transform_work(shape) / 2, bytes(shape), bytes(one_sided ? half_of(shape) : shape, 8)};
  };
  cases["aten._fft_c2r.default"] = [=](Builder& b, int v) {
    const Shape& shape = kPowers[static_cast<std::size_t>(v)];
    b.call("aten._fft_c2r.default", {operand(b, half_of(shape), DType::kComplex128), Shape{0, 1}, 0, shape[1]});
    return Work{transform_work(shape) / 2, bytes(half_of(shape), 16), bytes(shape, 8)};
  };
  for (const std::string op : {"view_as_real", "real", "imag"}) {
    cases["aten." + op + ".default"] = [op](Builder& b, int v) {
      b.call("aten." + op + ".default", {operand(b, shape_of(v), DType::kComplex64)});
      return Work{};
    };
  }
  cases["aten.view_as_complex.default"] = [](Builder& b, int v) {
    b.call("aten.view_as_complex.default", {operand(b, {3, 1 + v, 2})});
    return Work{};
  };
}

}  // namespace

Cases reductions() {
  Cases cases;
  for (const char* name : {"sum", "mean", "max", "min", "prod"}) {
    cases[std::string("aten.") + name + ".default"] = whole(std::string("aten.") + name + ".default");
  }
  for (const char* name : {"all", "any"}) {
    cases[std::string("aten.") + name + ".default"] = whole(std::string("aten.") + name + ".default", 1);
    cases[std::string("aten.") + name + ".dim"] = last(std::string("aten.") + name + ".dim", false, 1, 1);
  }
  cases["aten.any.dims"] = last("aten.any.dims", true, 1, 1);
  for (const char* op : {"sum.dim_IntList", "mean.dim", "amax.default", "amin.default"}) {
    cases[std::string("aten.") + op] = last(std::string("aten.") + op, true);
  }
  cases["aten.prod.dim_int"] = last("aten.prod.dim_int", false);
  for (const char* op : {"argmax.default", "argmin.default"}) {
    cases[std::string("aten.") + op] = last(std::string("aten.") + op, false, 1, 8);
  }
  for (const char* op : {"max.dim", "min.dim"}) {
    cases[std::string("aten.") + op] = last(std::string("aten.") + op, false, 1, 4, true);
  }
  for (const char* op : {"var.dim", "var.correction"}) {  // mean, difference, square, sum
    cases[std::string("aten.") + op] = last(std::string("aten.") + op, true, 4);
  }
  cases["aten.linalg_vector_norm.default"] = [](Builder& b, int v) {
    b.call("aten.linalg_vector_norm.default", {operand(b, shape_of(v)), 2, Shape{-1}});
    return Work{2 * count(shape_of(v)), bytes(shape_of(v)), bytes(without_last(shape_of(v)))};
  };
  cases["aten.cumsum.default"] = [](Builder& b, int v) {
    b.call("aten.cumsum.default", {operand(b, shape_of(v)), 0});
    return Work{count(shape_of(v)), bytes(shape_of(v)), bytes(shape_of(v))};
  };
  add_distances(cases);
  add_selections(cases);
  add_torch_transforms(cases);
  add_transforms(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
