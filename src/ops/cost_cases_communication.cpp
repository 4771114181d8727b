// Collectives. What a rank's memory moves: operand and result; sums add once for each element of the result.
#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

const std::vector<Shape> kShapes = {{8, 16}, {2, 4, 32}, {64}};

Shape with_first(Shape shape, std::int64_t times, std::int64_t part) {
  shape[0] = shape[0] * times / part;
  return shape;
}

Work all_reduce(Builder& b, int variant) {
  const Shape& shape = kShapes[static_cast<std::size_t>(variant)];
  b.call("_c10d_functional.all_reduce.default", {operand(b, shape), "sum", "ranks"});
  return {count(shape), bytes(shape), bytes(shape)};
}

Work all_reduce_in_place(Builder& b, int variant) {
  const Shape& shape = kShapes[static_cast<std::size_t>(variant)];
  b.call("nongemm.all_reduce_.default", {operand(b, shape), "sum", "ranks"});
  return {count(shape), bytes(shape), bytes(shape)};
}

Work all_gather(Builder& b, int variant) {
  const Shape& shape = kShapes[static_cast<std::size_t>(variant)];
  b.call("_c10d_functional.all_gather_into_tensor.default", {operand(b, shape), 4, "ranks"});
  return {0, bytes(shape), bytes(with_first(shape, 4, 1))};
}

Work reduce_scatter(Builder& b, int variant) {
  const Shape& shape = kShapes[static_cast<std::size_t>(variant)];
  b.call("_c10d_functional.reduce_scatter_tensor.default", {operand(b, shape), "sum", 2, "ranks"});
  const Shape part = with_first(shape, 1, 2);
  return {count(part), bytes(shape), bytes(part)};
}

Work all_to_all(Builder& b, int variant) {
  const Shape& shape = kShapes[static_cast<std::size_t>(variant)];
  const Shape halves{shape[0] / 2, shape[0] / 2};
  b.call("_c10d_functional.all_to_all_single.default", {operand(b, shape), halves, halves, "ranks"});
  return {0, bytes(shape), bytes(shape)};
}

Work wait(Builder& b, int variant) {
  b.call("_c10d_functional.wait_tensor.default", {operand(b, kShapes[static_cast<std::size_t>(variant)])});
  return {};
}

}  // namespace

Cases communication() {
  return {{"_c10d_functional.all_reduce.default", all_reduce},
          {"nongemm.all_reduce_.default", all_reduce_in_place},
          {"_c10d_functional.all_gather_into_tensor.default", all_gather},
          {"_c10d_functional.reduce_scatter_tensor.default", reduce_scatter},
          {"_c10d_functional.all_to_all_single.default", all_to_all},
          {"_c10d_functional.wait_tensor.default", wait}};
}

}  // namespace nongemm::cost_cases
