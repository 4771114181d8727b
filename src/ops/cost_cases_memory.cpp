// Cases of operators that move elements, or only describe them in another way: bytes, and no operations.
#include "ops/cost_cases.h"

namespace nongemm::cost_cases {

Tensor operand(Builder& b, Shape shape, DType dtype) {
  return b.input("x" + std::to_string(b.graph().inputs.size()), dtype, std::move(shape), {});
}

double count(const Shape& shape) {
  double elements = 1;
  for (const std::int64_t size : shape) {
    double sum = 0;
    for (std::int64_t i = 0; i < size; ++i) sum += elements;
    elements = sum;
  }
  return elements;
}

double total(const std::vector<Shape>& shapes, int width) {
  double sum = 0;
  for (const Shape& shape : shapes) sum += bytes(shape, width);
  return sum;
}

namespace {

Shape shape_of(int variant) { return {2, 3 + variant, 4}; }

/// A view: nothing is done.
template <typename... Arguments>
Case view(const std::string& op, Arguments... arguments) {
  return [=](Builder& b, int v) {
    b.call_all(op, {operand(b, shape_of(v)), Arg(arguments)...});
    return Work{};
  };
}

void add_views(Cases& cases) {
  for (const std::string op : {"aten.alias.default", "aten.detach.default", "aten.lift_fresh.default",
                               "aten.squeeze.default", "aten.contiguous.default"}) {
    cases[op] = view(op);
  }
  for (const std::string op : {"aten.view.default", "aten.reshape.default", "aten._unsafe_view.default"}) {
    cases[op] = view(op, Shape{-1, 4});
  }
  cases["aten.dropout.default"] = view("aten.dropout.default", 0.1, false);
  cases["aten.flatten.using_ints"] = view("aten.flatten.using_ints", 1);
  cases["aten.unflatten.int"] = view("aten.unflatten.int", 2, Shape{2, 2});
  cases["aten.permute.default"] = view("aten.permute.default", Shape{2, 0, 1});
  cases["aten.transpose.int"] = view("aten.transpose.int", 0, 1);
  cases["aten.unsqueeze.default"] = view("aten.unsqueeze.default", 1);
  cases["aten.squeeze.dim"] = view("aten.squeeze.dim", 0);
  cases["aten.squeeze.dims"] = view("aten.squeeze.dims", Shape{0, 1});
  cases["aten.select.int"] = view("aten.select.int", 0, 1);
  cases["aten.slice.Tensor"] = view("aten.slice.Tensor", 1, 1, 3);
  cases["aten.narrow.default"] = view("aten.narrow.default", 1, 0, 2);
  cases["aten.split.Tensor"] = view("aten.split.Tensor", 2, 1);
  cases["aten.split_with_sizes.default"] = view("aten.split_with_sizes.default", Shape{1, 3}, 2);
  cases["aten.chunk.default"] = view("aten.chunk.default", 2, 2);
  cases["aten.unbind.int"] = view("aten.unbind.int", 0);
  cases["aten.diagonal.default"] = view("aten.diagonal.default", 1);
  cases["aten.as_strided.default"] = view("aten.as_strided.default", Shape{2, 2}, Shape{1, 3});
  cases["aten.t.default"] = [](Builder& b, int v) {
    b.call("aten.t.default", {operand(b, {3, 2 + v})});
    return Work{};
  };
  cases["aten.expand.default"] = [](Builder& b, int v) {
    b.call("aten.expand.default", {operand(b, {1, 3}), Shape{2 + v, 3}});
    return Work{};
  };
  cases["aten.expand_as.default"] = [](Builder& b, int v) {
    b.call("aten.expand_as.default", {operand(b, {1, 3}), operand(b, {2 + v, 3})});
    return Work{};
  };
}

void add_conversions(Cases& cases) {
  // To the same type nothing moves, to another one everything.
  const auto convert = [&](const std::string& op, auto call) {
    cases[op] = [=](Builder& b, int v) {
      const bool same = v == 0 && op != "aten._to_copy.default";
      call(b, operand(b, shape_of(v)), same ? DType::kFloat32 : DType::kFloat16);
      return same ? Work{} : Work{0, bytes(shape_of(v)), bytes(shape_of(v), 2)};
    };
  };
  convert("aten.to.dtype", [](Builder& b, const Tensor& x, DType to) { b.call("aten.to.dtype", {x, to}); });
  convert("aten.to.device", [](Builder& b, const Tensor& x, DType to) { b.call("aten.to.device", {x, kNone, to}); });
  convert("aten.to.dtype_layout", [](Builder& b, const Tensor& x, DType to) {
    b.call("aten.to.dtype_layout", {x}, {{"dtype", to}});
  });
  convert("aten._to_copy.default", [](Builder& b, const Tensor& x, DType to) {
    b.call("aten._to_copy.default", {x}, {{"dtype", to}});
  });
  for (const std::string op : {"aten.to.other", "aten.type_as.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const bool same = v == 0;
      b.call(op, {operand(b, shape_of(v)), operand(b, {2}, same ? DType::kFloat32 : DType::kFloat16)});
      return same ? Work{} : Work{0, bytes(shape_of(v)) + bytes({2}, 2), bytes(shape_of(v), 2)};
    };
  }
}

/// Everything is read, everything is written.
template <typename... Arguments>
Case copy(const std::string& op, Arguments... arguments) {
  return [=](Builder& b, int v) {
    b.call(op, {operand(b, shape_of(v)), Arg(arguments)...});
    return Work{0, bytes(shape_of(v)), bytes(shape_of(v))};
  };
}

void add_copies(Cases& cases) {
  cases["aten.clone.default"] = copy("aten.clone.default");
  cases["aten.roll.default"] = copy("aten.roll.default", Shape{1}, Shape{0});
  cases["aten.flip.default"] = copy("aten.flip.default", Shape{0});
  cases["aten.tril.default"] = copy("aten.tril.default");
  cases["aten.triu.default"] = copy("aten.triu.default");
  for (const std::string op : {"aten.copy.default", "aten.copy_.default"}) {
    cases[op] = [op](Builder& b, int v) {  // what is written over is not read
      b.call(op, {operand(b, shape_of(v)), operand(b, {4})});
      return Work{0, bytes({4}), bytes(shape_of(v))};
    };
  }
  for (const std::string op : {"aten.fill.Scalar", "aten.fill_.Scalar", "aten.fill_.Tensor", "aten.zero_.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const Tensor x = operand(b, shape_of(v));
      if (op == "aten.zero_.default") {
        b.call(op, {x});
      } else if (op == "aten.fill_.Tensor") {
        b.call(op, {x, operand(b, {})});
      } else {
        b.call(op, {x, 1.0});
      }
      return Work{0, op == "aten.fill_.Tensor" ? 4.0 : 0.0, bytes(shape_of(v))};
    };
  }
  for (const std::string op : {"aten.cat.default", "aten.concat.default"}) {
    cases[op] = [op](Builder& b, int v) {
      b.call(op, {std::vector<Tensor>{operand(b, {2, 3}), operand(b, {2, 1 + v})}, 1});
      return Work{0, total({{2, 3}, {2, 1 + v}}), bytes({2, 4 + v})};
    };
  }
  cases["aten.stack.default"] = [](Builder& b, int v) {
    b.call("aten.stack.default", {std::vector<Tensor>{operand(b, shape_of(v)), operand(b, shape_of(v))}});
    return Work{0, 2 * bytes(shape_of(v)), 2 * bytes(shape_of(v))};
  };
  cases["aten.repeat.default"] = [](Builder& b, int v) {
    b.call("aten.repeat.default", {operand(b, {3}), Shape{2 + v, 2}});
    return Work{0, bytes({3}), bytes({2 + v, 6})};
  };
  cases["aten.repeat_interleave.self_int"] = [](Builder& b, int v) {
    b.call("aten.repeat_interleave.self_int", {operand(b, {3, 2}), 2 + v, 0});
    return Work{0, bytes({3, 2}), bytes({3 * (2 + v), 2})};
  };
}

void add_paddings(Cases& cases) {
  const auto add = [&](const std::string& op, std::size_t padded, std::size_t rank) {
    cases[op] = [=](Builder& b, int v) {
      const Shape shape(rank, 4 + v);
      Shape result = shape;
      for (std::size_t i = rank - padded; i < rank; ++i) result[i] += 1 + 2;
      Shape pads;
      for (std::size_t i = 0; i < padded; ++i) pads.insert(pads.end(), {1, 2});
      b.call(op, {operand(b, shape), pads});
      return Work{0, bytes(shape), bytes(result)};
    };
  };
  add("aten.pad.default", 2, 3);
  add("aten.constant_pad_nd.default", 1, 2);
  for (std::size_t spatial = 1; spatial <= 3; ++spatial) {
    const std::string digit = std::to_string(spatial) + "d.default";
    add("aten.reflection_pad" + digit, spatial, spatial + 2);
    add("aten.replication_pad" + digit, spatial, spatial + 2);
  }
}

/// Indices are int64. Of a table only as much is read as is written.
/// What core programs hold beside the usual operators.
void add_rare(Cases& cases) {
  // Bags of 0 to 4 indices, mean, with weights: each index adds its row.
  cases["aten._embedding_bag.default"] = [](Builder& b, int v) {
    const std::int64_t indices = 7 + v;
    const std::vector<Arg> arguments = {operand(b, {100, 5}), operand(b, {indices}, DType::kInt64),
                                        operand(b, {4}, DType::kInt64)};
    const bool mean = v == 1;
    const bool weighted = v == 2;
    const bool last = v == 0;
    const Arg weights = weighted ? Arg(operand(b, {indices})) : Arg(kNone);
    b.call_all("aten._embedding_bag.default",
               {arguments[0], arguments[1], arguments[2], false, mean ? 1 : 0, false, weights, last});
    const std::int64_t bags = last ? 3 : 4;
    double operations = mean ? bytes({bags, 5}, 1) : 0;
    for (std::int64_t i = 0; i < indices; ++i) operations += 5 * (weighted ? 2 : 1);
    return Work{operations,
                bytes({indices, 5}) + bytes({indices}, 8) + bytes({4}, 8) + (weighted ? bytes({indices}) : 0),
                bytes({bags, 5})};
  };
  cases["aten.native_dropout.default"] = [](Builder& b, int v) {
    const Shape shape = shape_of(v);
    b.call_all("aten.native_dropout.default", {operand(b, shape), 0.1, false});
    return Work{0, bytes(shape), bytes(shape) + bytes(shape, 1)};
  };
  cases["aten.col2im.default"] = [](Builder& b, int v) {  // every element of every patch is added to its place
    const Shape patches = {2, 3 * 4, 9};
    b.call("aten.col2im.default", {operand(b, v == 0 ? Shape{12, 9} : patches), Shape{4, 4}, Shape{2, 2}, Shape{1, 1},
                                   Shape{0, 0}, Shape{1, 1}});
    const double images = v == 0 ? 1 : 2;
    return Work{images * 108, bytes({108}) * images, bytes({3, 4, 4}) * images};
  };
  cases["aten.resize_.default"] = [](Builder& b, int v) {
    b.call("aten.resize_.default", {operand(b, shape_of(v)), Shape{2, 6}});
    return Work{};
  };
}

void add_indexing(Cases& cases) {
  cases["aten.index.Tensor"] = [](Builder& b, int v) {
    const std::int64_t taken = 2 + v;
    b.call("aten.index.Tensor", {operand(b, {100, 5}), std::vector<Tensor>{operand(b, {taken}, DType::kInt64)}});
    return Work{0, bytes({taken, 5}) + bytes({taken}, 8), bytes({taken, 5})};
  };
  cases["aten.index_select.default"] = [](Builder& b, int v) {
    const std::int64_t taken = 2 + v;
    b.call("aten.index_select.default", {operand(b, {100, 5}), 0, operand(b, {taken}, DType::kInt64)});
    return Work{0, bytes({taken, 5}) + bytes({taken}, 8), bytes({taken, 5})};
  };
  cases["aten.gather.default"] = [](Builder& b, int v) {
    const Shape index = {2 + v, 3};
    b.call("aten.gather.default", {operand(b, {100, 5}), 0, operand(b, index, DType::kInt64)});
    return Work{0, bytes(index) + bytes(index, 8), bytes(index)};
  };
  cases["aten.embedding.default"] = [](Builder& b, int v) {
    const Shape index = {2, 3 + v};
    b.call("aten.embedding.default", {operand(b, {100, 5}), operand(b, index, DType::kInt64)});
    return Work{0, 5 * bytes(index) + bytes(index, 8), 5 * bytes(index)};
  };
  for (const bool in_place : {false, true}) {
    const std::string op = in_place ? "aten.index_put_.default" : "aten.index_put.default";
    cases[op] = [=](Builder& b, int v) {
      const std::int64_t put = 2 + v;
      b.call(op, {operand(b, {10, 5}), std::vector<Tensor>{operand(b, {put}, DType::kInt64)}, operand(b, {put, 5})});
      return Work{0, bytes({put}, 8) + bytes({put, 5}) + (in_place ? 0 : bytes({10, 5})), bytes({10, 5})};
    };
  }
}

/// A copy, and what is scattered into it; one operation for each element that is combined with another.
void add_scatters(Cases& cases) {
  for (const std::string op : {"aten.scatter.src", "aten.scatter_add.default", "aten.scatter_reduce.two"}) {
    cases[op] = [op](Builder& b, int v) {
      const Shape index = {2 + v, 3};
      const Tensor self = operand(b, {9, 5});
      const Tensor where = operand(b, index, DType::kInt64);
      const Tensor source = operand(b, index);
      if (op == "aten.scatter_reduce.two") {
        b.call(op, {self, 0, where, source, "amax"});
      } else {
        b.call(op, {self, 0, where, source});
      }
      return Work{op == "aten.scatter.src" ? 0 : count(index), total({{9, 5}, index}) + bytes(index, 8), bytes({9, 5})};
    };
  }
  cases["aten.scatter.value"] = [](Builder& b, int v) {
    const Shape index = {2 + v, 3};
    b.call("aten.scatter.value", {operand(b, {9, 5}), 0, operand(b, index, DType::kInt64), 1.0});
    return Work{0, bytes({9, 5}) + bytes(index, 8), bytes({9, 5})};
  };
  cases["aten.scatter_.value"] = [](Builder& b, int v) {
    const Shape index = {1 + v, 3};
    b.call("aten.scatter_.value", {operand(b, {9, 5}), 0, operand(b, index, DType::kInt64), 1.0});
    return Work{0, bytes(index, 8), bytes(index)};
  };
  cases["aten.masked_scatter.default"] = [](Builder& b, int v) {
    b.call("aten.masked_scatter.default",
           {operand(b, shape_of(v)), operand(b, {4}, DType::kBool), operand(b, shape_of(v))});
    return Work{0, 2 * bytes(shape_of(v)) + bytes({4}, 1), bytes(shape_of(v))};
  };
  cases["aten.select_scatter.default"] = [](Builder& b, int v) {
    b.call("aten.select_scatter.default", {operand(b, shape_of(v)), operand(b, {3 + v, 4}), 0, 1});
    return Work{0, total({shape_of(v), {3 + v, 4}}), bytes(shape_of(v))};
  };
  cases["aten.slice_scatter.default"] = [](Builder& b, int v) {
    b.call("aten.slice_scatter.default", {operand(b, shape_of(v)), operand(b, {2, 2, 4}), 1, 0, 2});
    return Work{0, total({shape_of(v), {2, 2, 4}}), bytes(shape_of(v))};
  };
}

void add_factories(Cases& cases) {
  for (const char* name : {"zeros", "ones", "rand", "randn"}) {
    const std::string op = std::string("aten.") + name + ".default";
    cases[op] = [op](Builder& b, int v) {
      b.call(op, {shape_of(v)});
      return Work{0, 0, bytes(shape_of(v))};
    };
  }
  cases["aten.empty.memory_format"] = [](Builder& b, int v) {
    b.call("aten.empty.memory_format", {shape_of(v)});
    return Work{0, 0, bytes(shape_of(v))};
  };
  cases["aten.empty_strided.default"] = [](Builder& b, int v) {
    b.call("aten.empty_strided.default", {Shape{2, 3 + v}, Shape{1, 2}});
    return Work{0, 0, bytes({2, 3 + v})};
  };
  cases["aten.full.default"] = [](Builder& b, int v) {
    b.call("aten.full.default", {shape_of(v), 1});
    return Work{0, 0, bytes(shape_of(v), 8)};
  };
  cases["aten.randperm.default"] = [](Builder& b, int v) {
    b.call("aten.randperm.default", {5 + v});
    return Work{0, 0, bytes({5 + v}, 8)};
  };
  cases["aten.scalar_tensor.default"] = [](Builder& b, int v) {
    b.call("aten.scalar_tensor.default", {1.0 + v});
    return Work{0, 0, 4};
  };
  cases["aten.arange.default"] = [](Builder& b, int v) {
    b.call("aten.arange.default", {5 + v});
    return Work{0, 0, bytes({5 + v}, 8)};
  };
  cases["aten.arange.start"] = [](Builder& b, int v) {
    b.call("aten.arange.start", {2, 5 + v});
    return Work{0, 0, bytes({3 + v}, 8)};
  };
  cases["aten.arange.start_step"] = [](Builder& b, int v) {
    b.call("aten.arange.start_step", {0, 4 + 2 * v, 2});
    return Work{0, 0, bytes({2 + v}, 8)};
  };
  for (const char* name : {"zeros_like", "ones_like", "empty_like"}) {
    const std::string op = std::string("aten.") + name + ".default";
    cases[op] = [op](Builder& b, int v) {
      b.call(op, {operand(b, shape_of(v))});
      return Work{0, 0, bytes(shape_of(v))};
    };
  }
  cases["aten.full_like.default"] = [](Builder& b, int v) {
    b.call("aten.full_like.default", {operand(b, shape_of(v)), 2.0});
    return Work{0, 0, bytes(shape_of(v))};
  };
  for (const char* name : {"new_empty", "new_zeros", "new_ones", "new_full"}) {
    const std::string op = std::string("aten.") + name + ".default";
    cases[op] = [op](Builder& b, int v) {
      const Tensor x = operand(b, {2}, DType::kFloat16);
      if (op == "aten.new_full.default") {
        b.call(op, {x, shape_of(v), 1.0});
      } else {
        b.call(op, {x, shape_of(v)});
      }
      return Work{0, 0, bytes(shape_of(v), 2)};
    };
  }
  for (const std::string op : {"aten.meshgrid.default", "aten.meshgrid.indexing"}) {  // views of its operands
    cases[op] = [op](Builder& b, int v) {
      const std::vector<Tensor> sides = {operand(b, {3}), operand(b, {4 + v})};
      if (op == "aten.meshgrid.default") {
        b.call_all(op, {sides});
      } else {
        b.call_all(op, {sides}, {{"indexing", "ij"}});
      }
      return Work{};
    };
  }
}

/// One value, or places whose number only the run knows.
void add_synchronising(Cases& cases) {
  for (const std::string op : {"aten.item.default", "aten._local_scalar_dense.default", "aten.is_nonzero.default"}) {
    cases[op] = [op](Builder& b, int v) {
      constexpr DType kTypes[] = {DType::kFloat32, DType::kInt64, DType::kBool};
      constexpr double kBytes[] = {4, 8, 1};
      b.call(op, {operand(b, {}, kTypes[v])});
      return Work{0, kBytes[v], 0};
    };
  }
  cases["aten.nonzero.default"] = [](Builder& b, int v) {
    b.call("aten.nonzero.default", {operand(b, shape_of(v))});
    return Work{0, bytes(shape_of(v)), kUnknownWork};
  };
  cases["aten.where.default"] = [](Builder& b, int v) {
    b.call_all("aten.where.default", {operand(b, shape_of(v), DType::kBool)});
    return Work{0, bytes(shape_of(v), 1), kUnknownWork};
  };
}

}  // namespace

Cases memory() {
  Cases cases;
  for (auto* add : {add_views, add_conversions, add_copies, add_paddings, add_indexing, add_rare, add_scatters,
                    add_factories, add_synchronising}) {
    add(cases);
  }
  return cases;
}

}  // namespace nongemm::cost_cases
