#include <optional>

#include "passes/fuse/fuse.h"

namespace nongemm::passes {
namespace {

/// x turned by an angle for each of its elements.
struct Rotation {
  ValueId x = kNoId, cosine = kNoId, sine = kNoId;
};

/// The elements [begin, end) of the last dimension: of what, where that is the node's result.
ValueId cut_of(const Search& search, ValueId value, std::int64_t begin, std::int64_t end) {
  const Node* node = search.made_by(value, "aten.slice.Tensor");
  if (node == nullptr) return kNoId;
  const ValueId source = Search::operand(*node, 0);
  const Shape& shape = search.type(source).shape;
  const std::optional<double> dim = Search::number(*node, 1);
  const auto rank = static_cast<double>(shape.size());
  const bool last = dim && (*dim == rank - 1 || *dim == -1);
  const bool from = Search::number(*node, 2).value_or(0) == static_cast<double>(begin);
  const std::int64_t until = search.type(value).shape.empty() ? 0 : begin + search.type(value).shape.back();
  return last && from && until == end && Search::is_number(*node, 4, 1) ? source : kNoId;
}

/// What cat(-x[half:], x[:half]) is made of.
ValueId half_turned(const Search& search, ValueId value, Place& place) {
  const Node* joined = search.made_by(value, "aten.cat.default");
  if (joined == nullptr) return kNoId;
  const auto* parts = std::get_if<std::vector<Use>>(&joined->args[0]);
  if (parts == nullptr || parts->size() != 2 || search.type(value).shape.empty()) return kNoId;
  const std::int64_t width = search.type(value).shape.back();
  const Node* negative = search.made_by((*parts)[0].value, "aten.neg.default");
  if (negative == nullptr || width % 2 != 0) return kNoId;
  const ValueId x = cut_of(search, (*parts)[1].value, 0, width / 2);
  if (x == kNoId || cut_of(search, Search::operand(*negative, 0), width / 2, width) != x) return kNoId;
  if (search.type(x).shape != search.type(value).shape) return kNoId;
  place.gone.push_back(search.id_of(*joined));
  place.gone.push_back(search.id_of(*negative));
  for (const ValueId half : {(*parts)[1].value, Search::operand(*negative, 0)})
    place.gone.push_back(search.maker(half));
  return x;
}

bool is_sum(const Node& node) { return node.op == "aten.add.Tensor" && Search::is_number(node, 2, 1); }

/// mul(x, cos) + mul(half_turn(x), sin)
std::optional<Rotation> rotation_of(const Search& search, const Node& sum, Place& place) {
  if (!is_sum(sum)) return std::nullopt;
  const Node* straight = search.made_by(Search::operand(sum, 0), "aten.mul.Tensor");
  const Node* turned = search.made_by(Search::operand(sum, 1), "aten.mul.Tensor");
  if (straight == nullptr || turned == nullptr) return std::nullopt;
  const ValueId x = half_turned(search, Search::operand(*turned, 0), place);
  Rotation found{Search::operand(*straight, 0), Search::operand(*straight, 1), Search::operand(*turned, 1)};
  if (x == kNoId || found.cosine == kNoId || found.sine == kNoId) return std::nullopt;
  place.gone.push_back(search.id_of(*straight));
  place.gone.push_back(search.id_of(*turned));
  if (found.x == x) return found;
  // In fp32, converted once for each product.
  const ValueId source = search.converted(x, DType::kFloat32);
  if (source == kNoId || search.converted(found.x, DType::kFloat32) != source) return std::nullopt;
  search.add_maker(x, place.gone);
  search.add_maker(found.x, place.gone);
  found.x = source;
  return found;
}

/// Of the two halves of x, which chunk() gives: cat(x cos - y sin, y cos + x sin)
std::optional<Rotation> rotation_by_halves(const Search& search, const Node& joined, Place& place) {
  const auto* parts = joined.op == "aten.cat.default" ? std::get_if<std::vector<Use>>(&joined.args[0]) : nullptr;
  if (parts == nullptr || parts->size() != 2) return std::nullopt;
  const Node* first = search.made_by((*parts)[0].value, "aten.sub.Tensor");
  const Node* second = search.made_by((*parts)[1].value, "aten.add.Tensor");
  if (first == nullptr || second == nullptr || !Search::is_number(*first, 2, 1) || !is_sum(*second)) {
    return std::nullopt;
  }
  const Node* products[4] = {};
  for (int i = 0; i < 4; ++i) {
    const Node& sum = i < 2 ? *first : *second;
    products[i] = search.made_by(Search::operand(sum, static_cast<std::size_t>(i % 2)), "aten.mul.Tensor");
    if (products[i] == nullptr) return std::nullopt;
    place.gone.push_back(search.id_of(*products[i]));
  }
  const auto factor = [&](int product, std::size_t i) { return Search::operand(*products[product], i); };
  const ValueId x = factor(0, 0);
  const ValueId y = factor(1, 0);
  const Node* halves = search.made_by(x, "aten.chunk.default");
  if (halves == nullptr || halves->outputs.size() != 2 || halves->outputs[0] != x || halves->outputs[1] != y) {
    return std::nullopt;
  }
  const Rotation found{Search::operand(*halves, 0), factor(0, 1), factor(1, 1)};
  const bool fits =
      factor(2, 0) == y && factor(3, 0) == x && factor(2, 1) == found.cosine && factor(3, 1) == found.sine;
  if (!fits || search.type(found.x).shape != search.type(joined.outputs[0]).shape) return std::nullopt;
  place.gone.push_back(search.id_of(*first));
  place.gone.push_back(search.id_of(*second));
  return found;
}

/// Whether the operator takes these: tables of the heads' own type, that are repeated for heads at most.
bool is_taken(const Search& search, const Rotation& rotation) {
  const Type& x = search.type(rotation.x);
  for (const ValueId table : {rotation.cosine, rotation.sine}) {
    const Type& angles = search.type(table);
    if (angles.dtype != x.dtype || angles.shape.empty() || angles.shape.size() > x.shape.size()) return false;
    if (angles.shape.back() != x.shape.back() && 2 * angles.shape.back() != x.shape.back()) return false;
  }
  return x.shape.size() >= 2 && x.shape.size() <= 4 && is_floating(x.dtype);
}

}  // namespace

std::vector<Place> find_rotations(const Search& search) {
  std::vector<Place> places;
  for (const Node& node : search.graph().nodes) {
    Place place;
    std::optional<Rotation> found = rotation_of(search, node, place);
    if (!found) {
      place = {};
      found = rotation_by_halves(search, node, place);
    }
    if (!found || !is_taken(search, *found)) continue;
    NodeId last = search.id_of(node);
    const bool wide = search.type(node.outputs[0]).dtype != search.type(found->x).dtype;
    if (wide) {
      const Node* cast = search.only_user(node.outputs[0]);
      if (cast == nullptr || search.converted(cast->outputs[0], search.type(found->x).dtype) != node.outputs[0])
        continue;
      place.gone.push_back(last);
      last = search.id_of(*cast);
    }
    const ValueId result = search.graph().nodes[last].outputs[0];
    const bool contiguous = !search.keeps_layout(found->x, result);
    if (contiguous && !search.type(result).strides.empty()) continue;
    place.replaced[last] = [found = *found, wide, contiguous](Builder& b) {
      return b.call("nongemm.rotary.default", {Tensor(&b, found.x), Tensor(&b, found.cosine), Tensor(&b, found.sine)},
                    {{"wide", wide}, {"contiguous", contiguous}});
    };
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace nongemm::passes
