#include <optional>

#include "passes/fuse/fuse.h"

namespace nongemm::passes {
namespace {

constexpr const char* kProduct = "aten.mul.Tensor";

/// A weight of one dimension whose elements are those of channels: reshape(weight, [1, -1, 1, 1]).
ValueId channels_of(const Search& search, ValueId value) {
  for (const std::string_view op : {"aten.reshape.default", "aten.view.default"}) {
    const Node* node = search.made_by(value, op);
    if (node == nullptr || search.type(value).shape.size() != 4 || search.type(value).shape[0] != 1) continue;
    const ValueId weight = Search::operand(*node, 0);
    const bool fits = search.is_weight(weight) && search.type(weight).shape.size() == 1 &&
                      search.type(weight).shape[0] == search.type(value).shape[1];
    return fits ? weight : kNoId;
  }
  return kNoId;
}

struct FrozenNorm {
  ValueId input = kNoId, weight = kNoId, bias = kNoId, mean = kNoId, variance = kNoId;
  double epsilon = 0;
};

/// x scale + (bias - mean scale), where scale is weight rsqrt(variance + epsilon)
class FrozenNormReader {
 public:
  FrozenNormReader(const Search& search, Place& place) : search_(search), place_(place) {}

  std::optional<FrozenNorm> read(const Node& sum) {
    if (sum.op != "aten.add.Tensor" || !Search::is_number(sum, 2, 1)) return std::nullopt;
    const Node* product = step(Search::operand(sum, 0), kProduct);
    const Node* shift = step(Search::operand(sum, 1), "aten.sub.Tensor");
    if (product == nullptr || shift == nullptr || !Search::is_number(*shift, 2, 1)) return std::nullopt;
    const ValueId scale = Search::operand(*product, 1);
    const Node* moved = step(Search::operand(*shift, 1), kProduct);
    if (moved == nullptr || Search::operand(*moved, 1) != scale) return std::nullopt;
    FrozenNorm norm;
    if (!read_scale(scale, norm)) return std::nullopt;
    norm.input = Search::operand(*product, 0);
    norm.bias = channels_of(search_, Search::operand(*shift, 0));
    norm.mean = channels_of(search_, Search::operand(*moved, 0));
    const bool complete = norm.input != kNoId && norm.bias != kNoId && norm.mean != kNoId;
    return complete && is_taken(norm) ? std::optional(norm) : std::nullopt;
  }

 private:
  const Node* step(ValueId value, const char* op) {
    const Node* node = search_.made_by(value, op);
    if (node != nullptr) place_.gone.push_back(search_.id_of(*node));
    return node;
  }

  bool read_scale(ValueId scale, FrozenNorm& norm) {
    const Node* product = step(scale, kProduct);
    if (product == nullptr) return false;
    const Node* root = step(Search::operand(*product, 1), "aten.rsqrt.default");
    const Node* sum = root == nullptr ? nullptr : step(Search::operand(*root, 0), "aten.add.Tensor");
    const std::optional<double> epsilon = sum == nullptr ? std::nullopt : Search::number(*sum, 1);
    if (!epsilon || !Search::is_number(*sum, 2, 1)) return false;
    norm.epsilon = *epsilon;
    norm.weight = channels_of(search_, Search::operand(*product, 0));
    norm.variance = channels_of(search_, Search::operand(*sum, 0));
    return norm.weight != kNoId && norm.variance != kNoId;
  }

  bool is_taken(const FrozenNorm& norm) const {
    const Type& x = search_.type(norm.input);
    for (const ValueId value : {norm.weight, norm.bias, norm.mean, norm.variance}) {
      const Type& type = search_.type(value);
      if (type.dtype != x.dtype || x.shape.size() != 4 || type.shape[0] != x.shape[1]) return false;
    }
    return true;
  }

  const Search& search_;
  Place& place_;
};

}  // namespace

std::vector<Place> find_frozen_norms(const Search& search) {
  std::vector<Place> places;
  for (const Node& node : search.graph().nodes) {
    Place place;
    const std::optional<FrozenNorm> norm = FrozenNormReader(search, place).read(node);
    if (!norm || !search.keeps_layout(norm->input, node.outputs[0])) continue;
    place.replaced[search.id_of(node)] = [norm = *norm](Builder& b) {
      const auto tensor = [&](ValueId value) { return Tensor(&b, value); };
      constexpr double kMomentum = 0.1;  // of statistics that are not taken
      return b.call("aten.batch_norm.default",
                    {tensor(norm.input), tensor(norm.weight), tensor(norm.bias), tensor(norm.mean),
                     tensor(norm.variance), /*training=*/false, kMomentum, norm.epsilon, /*cudnn_enabled=*/true});
    };
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace nongemm::passes
