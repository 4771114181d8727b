// Cases of products and attention: slow loops that count a multiplication and an addition for every pair of elements.
#include <algorithm>
#include <array>

#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

/// Every multiplication with its addition in [batch, rows, inner] x [batch, inner, columns].
double product(std::int64_t batch, std::int64_t rows, std::int64_t inner, std::int64_t columns) {
  double operations = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t k = 0; k < inner; ++k) operations += 2;
      }
    }
  }
  return operations;
}

struct Sizes {
  std::int64_t batch, rows, inner, columns;
};
constexpr std::array<Sizes, kVariants> kSizes = {{{2, 3, 4, 5}, {1, 7, 1, 2}, {3, 1, 6, 4}}};

Sizes sizes(int variant) { return kSizes[static_cast<std::size_t>(variant)]; }

void add_matrices(Cases& cases) {
  cases["aten.mm.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("aten.mm.default", {operand(b, {rows, inner}), operand(b, {inner, columns})});
    return Work{product(1, rows, inner, columns), total({{rows, inner}, {inner, columns}}), bytes({rows, columns})};
  };
  for (const std::string op : {"aten.bmm.default", "aten.matmul.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const auto [batch, rows, inner, columns] = sizes(v);
      const Shape left = {batch, rows, inner};
      const Shape right = {batch, inner, columns};
      b.call(op, {operand(b, left), operand(b, right)});
      return Work{product(batch, rows, inner, columns), total({left, right}), bytes({batch, rows, columns})};
    };
  }
  // Rows sorted by their matrices: at most as many matrices as rows are read.
  for (const std::string op : {"aten._grouped_mm.default", "transformers.grouped_mm_fallback.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const auto [groups, rows, inner, columns] = sizes(v);
      b.call(op,
             {operand(b, {rows, inner}), operand(b, {groups, inner, columns}), operand(b, {groups}, DType::kInt32)});
      const std::int64_t used = std::min(rows, groups);
      return Work{product(1, rows, inner, columns), total({{rows, inner}, {used, inner, columns}, {groups}}),
                  bytes({rows, columns})};
    };
  }
  cases["aten.linear.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const Shape input = {batch, rows, inner};
    const Shape weight = {columns, inner};
    const bool bias = v != 1;
    b.call("aten.linear.default",
           {operand(b, input), operand(b, weight), bias ? Arg(operand(b, {columns})) : Arg(kNone)});
    const Shape result = {batch, rows, columns};
    return Work{product(batch, rows, inner, columns) + (bias ? count(result) : 0),
                total({input, weight}) + (bias ? bytes({columns}) : 0), bytes(result)};
  };
  cases["aten.addmm.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("aten.addmm.default", {operand(b, {columns}), operand(b, {rows, inner}), operand(b, {inner, columns})});
    return Work{product(1, rows, inner, columns) + count({rows, columns}),
                total({{columns}, {rows, inner}, {inner, columns}}), bytes({rows, columns})};
  };
  for (const std::string op : {"aten.baddbmm.default", "aten.addbmm.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const auto [batch, rows, inner, columns] = sizes(v);
      const Shape result = op == "aten.addbmm.default" ? Shape{rows, columns} : Shape{batch, rows, columns};
      b.call(op, {operand(b, result), operand(b, {batch, rows, inner}), operand(b, {batch, inner, columns})});
      return Work{product(batch, rows, inner, columns) + count(result),
                  total({result, {batch, rows, inner}, {batch, inner, columns}}), bytes(result)};
    };
  }
}

void add_vectors(Cases& cases) {
  cases["aten.mv.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("aten.mv.default", {operand(b, {rows, inner}), operand(b, {inner})});
    return Work{product(1, rows, inner, 1), total({{rows, inner}, {inner}}), bytes({rows})};
  };
  cases["aten.addmv.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("aten.addmv.default", {operand(b, {rows}), operand(b, {rows, inner}), operand(b, {inner})});
    return Work{product(1, rows, inner, 1) + count({rows}), total({{rows}, {rows, inner}, {inner}}), bytes({rows})};
  };
  for (const std::string op : {"aten.dot.default", "aten.vdot.default"}) {
    cases[op] = [op](Builder& b, int v) {
      const std::int64_t inner = sizes(v).inner;
      b.call(op, {operand(b, {inner}), operand(b, {inner})});
      return Work{product(1, 1, inner, 1), 2 * bytes({inner}), bytes(Shape{})};
    };
  }
  cases["aten.inner.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    if (v == 2) {  // by a number
      b.call("aten.inner.default", {operand(b, {rows, inner}), operand(b, {})});
      return Work{count({rows, inner}), total({{rows, inner}, {}}), bytes({rows, inner})};
    }
    b.call("aten.inner.default", {operand(b, {batch, rows, inner}), operand(b, {columns, inner})});
    return Work{product(1, batch * rows, inner, columns), total({{batch, rows, inner}, {columns, inner}}),
                bytes({batch, rows, columns})};
  };
  for (const std::string op : {"aten.outer.default", "aten.ger.default"}) {  // a product without a sum
    cases[op] = [op](Builder& b, int v) {
      const auto [batch, rows, inner, columns] = sizes(v);
      b.call(op, {operand(b, {rows}), operand(b, {columns})});
      return Work{product(1, rows, 1, columns) / 2, total({{rows}, {columns}}), bytes({rows, columns})};
    };
  }
  cases["aten.addr.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("aten.addr.default", {operand(b, {rows, columns}), operand(b, {rows}), operand(b, {columns})});
    return Work{product(1, rows, 1, columns), total({{rows, columns}, {rows}, {columns}}), bytes({rows, columns})};
  };
}

void add_contractions(Cases& cases) {
  cases["aten.tensordot.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const Shape left = {inner, rows, batch};
    const Shape right = {batch, columns, inner};
    b.call("aten.tensordot.default", {operand(b, left), operand(b, right), Shape{0, 2}, Shape{2, 0}});
    return Work{product(1, rows, inner * batch, columns), total({left, right}), bytes({rows, columns})};
  };
  // Of the two orders of three matrices the cheaper one.
  cases["aten.linalg_multi_dot.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const std::vector<Shape> shapes = {{batch, rows}, {rows, inner}, {inner, columns}};
    b.call("aten.linalg_multi_dot.default",
           {std::vector<Tensor>{operand(b, shapes[0]), operand(b, shapes[1]), operand(b, shapes[2])}});
    const double left_first = product(1, batch, rows, inner) + product(1, batch, inner, columns);
    const double right_first = product(1, rows, inner, columns) + product(1, batch, rows, columns);
    return Work{std::min(left_first, right_first), total(shapes), bytes({batch, columns})};
  };
  cases["aten.einsum.default"] = [](Builder& b, int v) {
    const auto call = [&](const char* equation, const std::vector<Shape>& shapes) {
      std::vector<Tensor> operands;
      for (const Shape& shape : shapes) operands.push_back(operand(b, shape));
      b.call("aten.einsum.default", {equation, operands});
      return total(shapes);
    };
    switch (v) {
      case 0:  // pairwise: (ab, bc) first
        return Work{product(1, 2, 3, 4) + product(1, 2, 4, 5), call("ab,bc,cd->ad", {{2, 3}, {3, 4}, {4, 5}}),
                    bytes({2, 5})};
      case 1:  // `k` is in one operand alone: added up before the product
        return Work{count({2, 3, 7}) + product(1, 2, 3, 4), call("abk,bc->ac", {{2, 3, 7}, {3, 4}}), bytes({2, 4})};
      default:  // nothing is summed
        return Work{count({2, 3, 4}), call("bi,bj->bij", {{2, 3}, {2, 4}}), bytes({2, 3, 4})};
    }
  };
}

/// Products of each query with the keys that it sees, of their weights with the values, and five operations for each
/// weight's scale and softmax.
double attention(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t width,
                 std::int64_t value_width, bool causal) {
  double operations = 0;
  for (std::int64_t h = 0; h < heads; ++h) {
    for (std::int64_t i = 0; i < queries; ++i) {
      for (std::int64_t j = 0; j < keys; ++j) {
        if (causal && j > i) continue;
        operations += 2.0 * static_cast<double>(width) + 2.0 * static_cast<double>(value_width) + 5.0;
      }
    }
  }
  return operations;
}

void add_attention(Cases& cases) {
  struct Lengths {
    std::int64_t queries, keys;
    bool causal;
  };
  static constexpr std::array<Lengths, kVariants> kLengths = {{{6, 6, true}, {1, 256, true}, {5, 3, true}}};
  for (const bool for_cpu : {false, true}) {
    const std::string op = for_cpu ? "aten._scaled_dot_product_flash_attention_for_cpu.default"
                                   : "aten.scaled_dot_product_attention.default";
    cases[op] = [=](Builder& b, int v) {
      const auto [queries, keys, causal] = kLengths[static_cast<std::size_t>(v)];
      const Shape query = {2, 3, queries, 8};
      const Shape key = {2, 3, keys, 8};
      b.call(op, {operand(b, query), operand(b, key), operand(b, key)}, {{"is_causal", causal}});
      return Work{attention(6, queries, keys, 8, 8, causal), total({query, key, key}),
                  bytes(query) + (for_cpu ? bytes({2, 3, queries}) : 0)};
    };
  }
  cases["aten._native_multi_head_attention.default"] = [](Builder& b, int v) {
    const std::int64_t tokens = 3 + v;
    const Shape x = {2, tokens, 8};
    const Tensor query = operand(b, x);
    b.call("aten._native_multi_head_attention.default",
           {query, query, query, 8, 4, operand(b, {24, 8}), operand(b, {24}), operand(b, {8, 8}), operand(b, {8}),
            kNone, false});
    // Four projections, and four heads of two numbers each.
    return Work{4 * product(2, tokens, 8, 8) + attention(2 * 4, tokens, tokens, 2, 2, false),
                total({x, {24, 8}, {24}, {8, 8}, {8}}), bytes(x)};
  };
}

}  // namespace

Cases products() {
  Cases cases;
  add_matrices(cases);
  add_vectors(cases);
  add_contractions(cases);
  add_attention(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
