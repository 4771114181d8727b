#include <cmath>
#include <numbers>

#include "passes/fuse/fuse.h"

namespace nongemm::passes {
namespace {

constexpr const char* kMul = "aten.mul.Tensor";
constexpr const char* kAdd = "aten.add.Tensor";

/// A formula read from its result to its operand: every step is a node of the place.
class Formula {
 public:
  Formula(const Search& search, Place& place) : search_(search), place_(place) {}

  /// What a number is multiplied with, or another step has as its first operand; kNoId where the step is another one.
  ValueId behind(ValueId value, const char* op, double number) {
    const Node* node = step(value, op);
    return node != nullptr && Search::is_number(*node, 1, number) ? Search::operand(*node, 0) : kNoId;
  }
  ValueId behind(ValueId value, const char* op) {
    const Node* node = step(value, op);
    return node != nullptr ? Search::operand(*node, 0) : kNoId;
  }
  const Node* step(ValueId value, const char* op) {
    const Node* node = search_.made_by(value, op);
    if (node != nullptr) place_.gone.push_back(search_.id_of(*node));
    return node;
  }

 private:
  const Search& search_;
  Place& place_;
};

/// sqrt(2 / pi) (x + 0.044715 x^3)
bool is_argument_of_tanh(Formula& formula, ValueId value, ValueId x) {
  const Node* sum = formula.step(formula.behind(value, kMul, std::sqrt(2.0 / std::numbers::pi)), kAdd);
  if (sum == nullptr || Search::operand(*sum, 0) != x || !Search::is_number(*sum, 2, 1)) return false;
  const ValueId cube = formula.behind(Search::operand(*sum, 1), kMul, 0.044715);
  return cube != kNoId && formula.behind(cube, "aten.pow.Tensor_Scalar", 3) == x;
}

/// 0.7978845608 x (1 + 0.044715 x x)
bool is_fast_argument_of_tanh(Formula& formula, ValueId value, ValueId x) {
  const Node* product = formula.step(value, kMul);
  if (product == nullptr || formula.behind(Search::operand(*product, 0), kMul, 0.7978845608) != x) return false;
  const Node* square = formula.step(formula.behind(Search::operand(*product, 1), kAdd, 1), kMul);
  return square != nullptr && Search::operand(*square, 1) == x &&
         formula.behind(Search::operand(*square, 0), kMul, 0.044715) == x;
}

/// The approximation's name for aten.gelu where `value` is the factor of 0.5 x; none for another one.
const char* approximation(const Search& search, ValueId value, ValueId x, Place& place) {
  Formula formula(search, place);
  const ValueId inner = formula.behind(value, kAdd, 1);
  if (const ValueId argument = formula.behind(inner, "aten.erf.default"); argument != kNoId) {
    return formula.behind(argument, "aten.div.Tensor", std::numbers::sqrt2) == x ? "none" : nullptr;
  }
  const ValueId argument = formula.behind(inner, "aten.tanh.default");
  if (argument == kNoId) return nullptr;
  const Place before = place;
  if (is_argument_of_tanh(formula, argument, x)) return "tanh";
  place = before;
  return is_fast_argument_of_tanh(formula, argument, x) ? "tanh" : nullptr;
}

}  // namespace

std::vector<Place> find_gelus(const Search& search) {
  std::vector<Place> places;
  for (const Node& product : search.graph().nodes) {
    if (product.op != kMul) continue;
    Place place;
    const ValueId x = Formula(search, place).behind(Search::operand(product, 0), kMul, 0.5);
    if (x == kNoId || !is_floating(search.type(x).dtype)) continue;
    const char* kind = approximation(search, Search::operand(product, 1), x, place);
    if (kind == nullptr) continue;
    place.replaced[search.id_of(product)] = [x, kind](Builder& b) {
      return b.call("aten.gelu.default", {Tensor(&b, x)}, {{"approximate", kind}});
    };
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace nongemm::passes
