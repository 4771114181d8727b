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
  cases["aten.cumsum.default"] = [](Builder& b, int v) {
    b.call("aten.cumsum.default", {operand(b, shape_of(v)), 0});
    return Work{count(shape_of(v)), bytes(shape_of(v)), bytes(shape_of(v))};
  };
  add_distances(cases);
  add_selections(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
