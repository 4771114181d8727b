// Cases of operators that stand for several: what these cost, but that what passes between them is not moved.
#include "ops/cost_cases.h"

namespace nongemm::cost_cases {
namespace {

Shape rows_of(int variant) { return {2, 3 + variant, 8}; }

void add_norms(Cases& cases) {
  // A square, its mean, the product with the factor, the product with the weight.
  cases["nongemm.rms_norm.default"] = [](Builder& b, int v) {
    const Shape x = rows_of(v);
    b.call("nongemm.rms_norm.default", {operand(b, x), operand(b, {8}), 1e-6});
    return Work{4 * count(x), total({x, {8}}), bytes(x)};
  };
  // And the sum before it, which is a result, too.
  cases["nongemm.add_rms_norm.default"] = [](Builder& b, int v) {
    const Shape x = rows_of(v);
    b.call_all("nongemm.add_rms_norm.default", {operand(b, x), operand(b, x), operand(b, {8}), 1e-6});
    return Work{5 * count(x), total({x, x, {8}}), 2 * bytes(x)};
  };
  cases["nongemm.add_layer_norm.default"] = [](Builder& b, int v) {
    const Shape x = rows_of(v);
    const bool bias = v != 1;
    b.call_all("nongemm.add_layer_norm.default",
               {operand(b, x), operand(b, x), operand(b, {8}), bias ? Arg(operand(b, {8})) : Arg(kNone), 1e-6});
    return Work{9 * count(x), total({x, x, {8}, {bias ? 8 : 0}}), 2 * bytes(x)};
  };
}

}  // namespace

Cases fused() {
  Cases cases;
  add_norms(cases);
  // Two products and a sum for each element; tables for whole heads, or for one half.
  cases["nongemm.rotary.default"] = [](Builder& b, int v) {
    const Shape x = {2, 3, 5, 8};
    const Shape table = {1, 1, 5, v == 1 ? 4 : 8};
    b.call("nongemm.rotary.default", {operand(b, x), operand(b, table), operand(b, table)});
    return Work{3 * count(x), total({x, table, table}), bytes(x)};
  };
  // The activation by itself (4 for SiLU, 5 for GELU), and a product.
  cases["nongemm.gated_activation.default"] = [](Builder& b, int v) {
    const Shape x = rows_of(v);
    const char* const kinds[kVariants] = {"silu", "gelu", "gelu_tanh"};
    b.call("nongemm.gated_activation.default", {operand(b, x), operand(b, x), kinds[v]});
    return Work{(v == 0 ? 5 : 6) * count(x), total({x, x}), bytes(x)};
  };
  return cases;
}

}  // namespace nongemm::cost_cases
