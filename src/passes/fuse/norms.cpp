#include <memory>
#include <optional>
#include <utility>

#include "passes/fuse/fuse.h"

namespace nongemm::passes {
namespace {

/// A norm of rows, and what of it goes.
struct Norm {
  ValueId input = kNoId, weight = kNoId, bias = kNoId;
  double epsilon = 0;
  bool layer_norm = false;
  double offset = 0;  // of an RMS norm: is added to the weight
  bool wide = false;  // the weight is multiplied in fp32
  NodeId last = kNoId;
  std::vector<NodeId> gone = {};
};

/// rsqrt(mean(x^2) + epsilon) of fp32 rows.
class RmsFactor {
 public:
  static std::optional<RmsFactor> read(const Search& search, const Node& root, std::vector<NodeId>& gone) {
    const Node* sum = search.made_by(Search::operand(root, 0), "aten.add.Tensor");
    const Node* mean = sum == nullptr ? nullptr : search.made_by(Search::operand(*sum, 0), "aten.mean.dim");
    const Node* square =
        mean == nullptr ? nullptr : search.made_by(Search::operand(*mean, 0), "aten.pow.Tensor_Scalar");
    if (square == nullptr || !Search::is_number(*square, 1, 2) || !Search::is_number(*sum, 2, 1)) return std::nullopt;
    const std::optional<double> epsilon = Search::number(*sum, 1);
    const ValueId rows = Search::operand(*square, 0);
    if (!epsilon || !is_over_last(*mean, search.type(rows)) || search.type(rows).dtype != DType::kFloat32) {
      return std::nullopt;
    }
    for (const Node* node : {&root, sum, mean, square}) gone.push_back(search.id_of(*node));
    return RmsFactor{rows, root.outputs[0], *epsilon};
  }

  ValueId rows;  // fp32
  ValueId value;
  double epsilon;

 private:
  RmsFactor(ValueId of, ValueId factor, double added) : rows(of), value(factor), epsilon(added) {}

  static bool is_over_last(const Node& mean, const Type& rows) {
    const auto last = static_cast<std::int64_t>(rows.shape.size()) - 1;
    const bool by_dim = mean.args.at(1) == Argument(std::vector<Int>{-1}) ||
                        mean.args.at(1) == Argument(std::vector<Int>{last}) ||
                        mean.args.at(1) == Argument(std::int64_t{-1});
    return by_dim && mean.args.at(2) == Argument(true);
  }
};

/// Follows what becomes of the normalized rows, step by step.
class RmsNormReader {
 public:
  RmsNormReader(const Search& search, Norm& norm) : search_(search), norm_(norm) {}

  bool read(const RmsFactor& factor) {
    norm_.epsilon = factor.epsilon;
    const Node* product = search_.only_user(factor.value);
    if (product == nullptr || product->op != "aten.mul.Tensor") return false;
    // The rows in fp32, or as they came: the factor makes fp32 of them.
    const ValueId rows = Search::other_operand(*product, factor.value);
    norm_.input = source_of(factor.rows);
    if (rows != factor.rows && rows != norm_.input) return false;
    if (norm_.input != factor.rows) search_.add_maker(factor.rows, norm_.gone);
    dtype_ = search_.type(norm_.input).dtype;
    current_ = product;
    return read_weight();
  }

 private:
  /// What was converted to fp32; the value itself where nothing was.
  ValueId source_of(ValueId rows) const {
    const ValueId source = search_.converted(rows, DType::kFloat32);
    return source != kNoId && is_floating(search_.type(source).dtype) ? source : rows;
  }

  /// The next node takes the result of the one before alone.
  void go_on(const Node& next) {
    norm_.gone.push_back(search_.id_of(*current_));
    current_ = &next;
  }

  /// A conversion to that type, if the next node is one; true where there is none.
  bool skip_conversion(DType dtype) {
    const Node* next = search_.only_user(current_->outputs[0]);
    if (next == nullptr) return true;
    if (search_.converted(next->outputs[0], dtype) != current_->outputs[0]) return true;
    go_on(*next);
    return true;
  }

  bool read_weight() {
    const Node* next = search_.only_user(current_->outputs[0]);
    if (next == nullptr) return false;
    // Rounded to the input's type before the weight.
    const bool narrowed = search_.converted(next->outputs[0], dtype_) == current_->outputs[0];
    if (narrowed) {
      go_on(*next);
      next = search_.only_user(current_->outputs[0]);
      if (next == nullptr) return false;
    }
    if (next->op != "aten.mul.Tensor") return false;
    const ValueId factor = Search::other_operand(*next, current_->outputs[0]);
    if (factor == kNoId) return false;
    go_on(*next);
    if (!take_weight(factor)) return false;
    norm_.wide = !narrowed && dtype_ != DType::kFloat32;
    skip_conversion(dtype_);
    norm_.last = search_.id_of(*current_);
    // A weight of another type would give the result that type.
    const DType weight = search_.type(norm_.weight).dtype;
    return search_.type(current_->outputs[0]).dtype == dtype_ &&
           (weight == dtype_ || (norm_.wide && weight == DType::kFloat32));
  }

  /// The weight, or 1 + the weight in fp32.
  bool take_weight(ValueId factor) {
    norm_.weight = factor;
    if (const Node* sum = search_.made_by(factor, "aten.add.Tensor"); sum != nullptr && Search::is_number(*sum, 1, 1)) {
      const ValueId added = Search::operand(*sum, 0);
      const ValueId source = search_.converted(added, DType::kFloat32);
      norm_.weight = source != kNoId ? source : added;
      norm_.offset = 1;
      norm_.gone.push_back(search_.id_of(*sum));
      if (source != kNoId) search_.add_maker(added, norm_.gone);
    }
    return search_.is_weight(norm_.weight) && search_.type(norm_.weight).shape.size() == 1;
  }

  const Search& search_;
  Norm& norm_;
  const Node* current_ = nullptr;
  DType dtype_ = DType::kUndefined;
};

std::optional<Norm> rms_norm_of(const Search& search, const Node& node) {
  if (node.op != "aten.rsqrt.default") return std::nullopt;
  Norm norm;
  const std::optional<RmsFactor> factor = RmsFactor::read(search, node, norm.gone);
  if (!factor || !RmsNormReader(search, norm).read(*factor)) return std::nullopt;
  return norm;
}

/// Of rows: over one dimension.
std::optional<Norm> layer_norm_of(const Search& search, const Node& node) {
  if (node.op != "aten.layer_norm.default") return std::nullopt;
  const auto* sizes = std::get_if<std::vector<Int>>(&node.args[1]);
  const std::optional<double> epsilon = Search::number(node, 4);
  if (sizes == nullptr || sizes->size() != 1 || !epsilon) return std::nullopt;
  Norm norm{.input = Search::operand(node, 0),
            .weight = Search::operand(node, 2),
            .bias = Search::operand(node, 3),
            .epsilon = *epsilon,
            .layer_norm = true,
            .last = search.id_of(node)};
  const DType dtype = search.type(norm.input).dtype;
  for (const ValueId factor : {norm.weight, norm.bias}) {
    if (factor != kNoId && (!search.is_weight(factor) || search.type(factor).dtype != dtype)) return std::nullopt;
  }
  return norm;
}

/// The addition whose sum is normalized, if it is of two alike.
const Node* sum_before(const Search& search, const Norm& norm) {
  const Node* sum = search.made_by(norm.input, "aten.add.Tensor");
  if (sum == nullptr || !Search::is_number(*sum, 2, 1)) return nullptr;
  const ValueId a = Search::operand(*sum, 0);
  const ValueId b = Search::operand(*sum, 1);
  const bool fits = a != kNoId && b != kNoId && search.alike(a, b) && search.keeps_layout(a, norm.input);
  return fits ? sum : nullptr;
}

std::vector<Tensor> call(Builder& b, const Norm& norm, ValueId first, ValueId second) {
  const auto tensor = [&](ValueId value) { return value == kNoId ? Tensor() : Tensor(&b, value); };
  if (norm.layer_norm) {
    return b.call_all("nongemm.add_layer_norm.default",
                      {tensor(first), tensor(second), tensor(norm.weight), tensor(norm.bias), norm.epsilon});
  }
  if (second == kNoId) {
    return b.call_all("nongemm.rms_norm.default", {tensor(first), tensor(norm.weight), norm.epsilon},
                      {{"offset", norm.offset}, {"wide", norm.wide}});
  }
  return b.call_all("nongemm.add_rms_norm.default", {tensor(first), tensor(second), tensor(norm.weight), norm.epsilon},
                    {{"offset", norm.offset}, {"wide", norm.wide}});
}

/// The sum stands where it stood, and the norm is there as soon.
Place with_sum(const Search& search, const Norm& norm, const Node& sum) {
  Place place;
  place.gone = norm.gone;
  auto normalized = std::make_shared<Tensor>();
  const ValueId a = Search::operand(sum, 0);
  const ValueId other = Search::operand(sum, 1);
  place.replaced[search.id_of(sum)] = [norm, a, other, normalized](Builder& b) {
    const std::vector<Tensor> results = call(b, norm, a, other);
    *normalized = results[1];
    return results[0];
  };
  place.replaced[norm.last] = [normalized](Builder&) { return *normalized; };
  return place;
}

}  // namespace

std::vector<Place> find_norms(const Search& search) {
  std::vector<Place> places;
  for (const Node& node : search.graph().nodes) {
    std::optional<Norm> norm = rms_norm_of(search, node);
    if (!norm) norm = layer_norm_of(search, node);
    if (!norm || !search.keeps_layout(norm->input, search.graph().nodes[norm->last].outputs[0])) continue;
    if (const Node* sum = sum_before(search, *norm); sum != nullptr) {
      Place place = with_sum(search, *norm, *sum);
      if (search.can_go(place)) {
        places.push_back(std::move(place));
        continue;
      }
    }
    if (norm->layer_norm) continue;  // is one operator by itself
    Place place;
    place.gone = norm->gone;
    place.replaced[norm->last] = [norm = *norm](Builder& b) { return call(b, norm, norm.input, kNoId)[0]; };
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace nongemm::passes
