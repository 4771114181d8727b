// Cases of quantization: four operations for a value that is made int8 (a comparison with the threshold, one for the
// maximum, a product, a rounding), and products as everywhere.
#include <array>

#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

struct Sizes {
  std::int64_t batch, rows, inner, columns;
};
constexpr std::array<Sizes, kVariants> kSizes = {{{2, 3, 4, 5}, {1, 7, 1, 2}, {3, 1, 6, 4}}};

Sizes sizes(int variant) { return kSizes[static_cast<std::size_t>(variant)]; }

double products(const Sizes& s) { return 2.0 * count({s.batch, s.rows, s.inner, s.columns}); }

void add_rows(Cases& cases) {
  struct RowOp {
    const char* op;
    bool threshold;
  };
  for (const auto& [op, threshold] :
       {RowOp{"bitsandbytes.int8_vectorwise_quant.default", true}, RowOp{"nongemm.int8_row_quantize.default", true},
        RowOp{"nongemm.int8_quantize.default", true}, RowOp{"nongemm.fp8_row_quantize.default", false}}) {
    cases[op] = [op = op, threshold = threshold](Builder& b, int v) {
      const auto [batch, rows, inner, columns] = sizes(v);
      const Shape input = {batch, rows, inner};
      if (threshold) {
        b.call_all(op, {operand(b, input), 6.0});
      } else {
        b.call_all(op, {operand(b, input)});
      }
      return Work{4 * count(input), bytes(input), count(input) + bytes({batch * rows})};
    };
  }
  cases["nongemm.static_quantize.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const Shape input = {batch, rows, inner};
    b.call_all("nongemm.static_quantize.default", {operand(b, input), operand(b, {})});
    return Work{4 * count(input), bytes(input) + 4, count(input) + bytes({batch * rows})};
  };
  cases["nongemm.group_quantize.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const std::int64_t bits = v == 1 ? 8 : 4;
    b.call_all("nongemm.group_quantize.default", {operand(b, {columns, inner}), bits, 4});
    const std::array<double, kVariants> values = {5 * 2, 2 * 1, 4 * 3};  // bytes
    const std::array<double, kVariants> scales = {5 * 1, 2 * 1, 4 * 2};
    const auto at = static_cast<std::size_t>(v);
    return Work{4 * count({columns, inner}), bytes({columns, inner}), values[at] + 4 * scales[at]};
  };
}

void add_products(Cases& cases) {
  const auto int8 = [](Builder& b, const Shape& shape) { return operand(b, shape, DType::kInt8); };
  cases["bitsandbytes.int8_linear_matmul.default"] = [=](Builder& b, int v) {
    const Sizes s = sizes(v);
    const Shape a = {s.batch, s.rows, s.inner};
    b.call("bitsandbytes.int8_linear_matmul.default", {int8(b, a), int8(b, {s.columns, s.inner})});
    return Work{products(s), count(a) + count({s.columns, s.inner}), bytes({s.batch, s.rows, s.columns})};
  };
  for (const std::string op :
       {"bitsandbytes.int8_scaled_mm.default", "nongemm.int8_linear.default", "nongemm.fp8_linear.default"}) {
    cases[op] = [=](Builder& b, int v) {
      const Sizes s = sizes(v);
      const Shape a = {s.batch, s.rows, s.inner};
      const DType dtype = op == "nongemm.fp8_linear.default" ? DType::kFloat8E4M3 : DType::kInt8;
      const bool bias = v == 0;
      b.call(op, {operand(b, a, dtype), operand(b, {s.columns, s.inner}, dtype), operand(b, {s.batch * s.rows}),
                  operand(b, {s.columns}), bias ? Arg(operand(b, {s.columns})) : Arg(kNone)});
      return Work{
          products(s),
          count(a) + count({s.columns, s.inner}) + total({{s.batch * s.rows}, {s.columns}, {bias ? s.columns : 0}}),
          bytes({s.batch, s.rows, s.columns}, 2)};
    };
  }
  cases["bitsandbytes.int8_mixed_scaled_mm.default"] = [=](Builder& b, int v) {
    const Sizes s = sizes(v);
    const Shape a = {s.batch, s.rows, s.inner};
    b.call_all("bitsandbytes.int8_mixed_scaled_mm.default", {operand(b, a), int8(b, a), int8(b, {s.columns, s.inner}),
                                                             operand(b, {s.batch * s.rows}), operand(b, {s.columns})});
    // How many outlier columns it gives is not known before the run.
    return Work{products(s),
                bytes(a) + count(a) + count({s.columns, s.inner}) + total({{s.batch * s.rows}, {s.columns}}),
                kUnknownWork};
  };
  cases["nongemm.grouped_linear.default"] = [](Builder& b, int v) {
    const Sizes s = sizes(v);
    const Shape a = {s.batch, s.rows, s.inner};
    const bool four = v == 2;
    const Shape weight = {s.columns, four ? s.inner / 2 : s.inner};
    b.call("nongemm.grouped_linear.default",
           {operand(b, a), operand(b, weight, four ? DType::kUInt8 : DType::kInt8), operand(b, {s.columns, 1})},
           {{"bits", four ? 4 : 8}, {"group", 128}});
    // Each weight is scaled once.
    return Work{products(s) + count({s.columns, s.inner}), bytes(a) + count(weight) + bytes({s.columns}),
                bytes({s.batch, s.rows, s.columns})};
  };
}

void add_packing(Cases& cases) {
  cases["nongemm.unpack_words.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    const std::int64_t bits = v == 1 ? 8 : 4;
    b.call("nongemm.unpack_words.default", {operand(b, {rows, columns}, DType::kInt32), bits, v % 2, Shape{}});
    return Work{0, bytes({rows, columns}), count({rows, columns}) * (v == 1 ? 4 : 8)};
  };
  cases["nongemm.pack_pairs.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("nongemm.pack_pairs.default", {operand(b, {rows, 2 * columns + v % 2}, DType::kUInt8)});
    return Work{0, count({rows, 2 * columns + v % 2}), count({rows, columns + v % 2})};
  };
}

void add_scaling(Cases& cases) {
  cases["bitsandbytes.int8_vectorwise_dequant.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("bitsandbytes.int8_vectorwise_dequant.default",
           {operand(b, {rows, inner}, DType::kInt8), operand(b, {rows})});
    return Work{2 * count({rows, inner}), count({rows, inner}) + bytes({rows}), bytes({rows, inner})};
  };
  cases["bitsandbytes.int8_mm_dequant.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("bitsandbytes.int8_mm_dequant.default",
           {operand(b, {rows, columns}, DType::kInt32), operand(b, {rows}), operand(b, {columns})});
    return Work{3 * count({rows, columns}), total({{rows, columns}, {rows}, {columns}}), bytes({rows, columns}, 2)};
  };
  // What is added follows from the number of outlier columns, which the run finds.
  cases["nongemm.add_outlier_product_.default"] = [](Builder& b, int v) {
    const auto [batch, rows, inner, columns] = sizes(v);
    b.call("nongemm.add_outlier_product_.default",
           {operand(b, {rows, columns}), operand(b, {rows, inner}), operand(b, {inner + 1}, DType::kInt32),
            operand(b, {rows, 32}), operand(b, {columns, inner}, DType::kInt8), operand(b, {columns})});
    return Work{kUnknownWork, kUnknownWork, kUnknownWork};
  };
}

}  // namespace

Cases quantization() {
  Cases cases;
  add_rows(cases);
  add_products(cases);
  add_packing(cases);
  add_scaling(cases);
  return cases;
}

}  // namespace nongemm::cost_cases
