#include "models/parts/experts.h"

#include <vector>

#include "models/parts/functional.h"

namespace nongemm {
namespace {

using namespace fn;

constexpr std::int64_t kMostExperts = 4096;

struct Choice {
  Tensor weights, experts;  // [tokens, chosen]
};

/// `x /= x.sum(dim=-1, keepdim=True)`
Tensor scale_to_one(Builder& b, const Tensor& x) {
  return b.call("aten.div_.Tensor", {x, b.call("aten.sum.dim_IntList", {x, Shape{-1}, true})});
}

Choice route(Builder& b, const Experts& experts, Tensor x) {
  const bool own = experts.router == Router::kGptOss;
  const auto scope = b.scope(own ? "router" : "gate", experts.router_class);
  const Tensor weight = b.parameter("weight", {experts.count, x.size(-1)}, InitSpec::normal(0, experts.deviation));
  Tensor scores;
  if (own) {
    scores = linear(x, weight, b.parameter("bias", {experts.count}, InitSpec::normal(0, experts.deviation)));
  } else {
    scores = linear(reshape(x, {-1, x.size(-1)}), weight);
  }
  if (experts.router == Router::kMixtral) scores = softmax(to(scores, DType::kFloat32), -1);
  if (experts.router == Router::kQwen) scores = softmax(scores, -1, DType::kFloat32);
  const std::vector<Tensor> best = b.call_all("aten.topk.default", {scores, experts.chosen, -1});
  switch (experts.router) {
    case Router::kMixtral:
      return {scale_to_one(b, best[0]), best[1]};
    case Router::kQwen:
      return {to(experts.normalised ? scale_to_one(b, best[0]) : best[0], x.dtype()), best[1]};
    case Router::kGptOss:
      break;
  }
  return {softmax(best[0], 1, best[0].dtype()), best[1]};
}

Tensor indexed(Builder& b, const Tensor& x, const Tensor& rows) {
  return b.call("aten.index.Tensor", {x, std::vector<Tensor>{rows}});
}

/// grouped_mm_experts_forward
class ExpertsBuilder {
 public:
  ExpertsBuilder(Builder& b, const Experts& experts, DeviceKind device)
      : b_(b), experts_(experts), device_(device), biased_(experts.router == Router::kGptOss) {}

  /// @param x [tokens, width]
  Tensor build(const Tensor& x, const Choice& choice) {
    const auto scope = b_.scope("experts", experts_.experts_class);
    const std::int64_t width = x.size(-1);
    const Tensor weights = reshape(choice.weights, {-1});
    const Tensor experts = reshape(choice.experts, {-1});
    const std::vector<Tensor> sorted = b_.call_all("aten.sort.default", {experts});
    const Tensor order = sorted[1];
    Tensor rows = indexed(b_, x, b_.call("aten.floor_divide.default", {order, experts_.chosen}));
    const Tensor sorted_weights = indexed(b_, weights, order);
    ends_ = ends(sorted[0]);
    // Other processes' experts, of which there are none here, would come last and are masked.
    masked_ = unsqueeze(b_.call("aten.ge.Scalar", {sorted[0], experts_.count}), -1);
    expert_of_row_ = b_.call("aten.clamp_.default", {sorted[0], kNone, experts_.count - 1});
    const Tensor inner_bias = bias_rows("gate_up_proj", 2 * experts_.inner);
    rows = b_.call("aten.masked_fill_.Scalar", {rows, masked_, 0.0});
    const Tensor both = project("gate_up_proj", rows, 2 * experts_.inner, inner_bias);
    const Tensor inner = gated(both);
    const Tensor outer_bias = bias_rows("down_proj", width);
    const Tensor out = project("down_proj", inner, width, outer_bias);
    return collected(mul(out, unsqueeze(sorted_weights, -1)), order, x.dtype(), width);
  }

 private:
  /// Where each expert's rows end, [experts] int32.
  Tensor ends(const Tensor& experts) {
    // Histograms count fractions on the host, whole numbers on devices.
    const Tensor numbers = to(experts, device_ == DeviceKind::kCuda ? DType::kInt32 : DType::kFloat32);
    const Tensor counts = b_.call("aten.histc.default", {numbers, experts_.count, 0, experts_.count - 1});
    return b_.call("aten.cumsum.default", {counts, 0}, {{"dtype", DType::kInt32}});
  }

  Tensor bias_rows(const std::string& name, std::int64_t out) {
    if (!biased_) return {};
    const Tensor biases = b_.parameter(name + "_bias", {experts_.count, out}, InitSpec::normal(0, experts_.deviation));
    return indexed(b_, biases, expert_of_row_);
  }

  /// gpt-oss keeps its matrices as [in, out], the others as [out, in].
  Tensor project(const std::string& name, const Tensor& rows, std::int64_t out, const Tensor& bias) {
    const std::int64_t in = rows.size(-1);
    Shape shape = biased_ ? Shape{experts_.count, in, out} : Shape{experts_.count, out, in};
    Tensor matrices = b_.parameter(name, std::move(shape), InitSpec::normal(0, experts_.deviation));
    const DType dtype = matrices.dtype();
    if (!biased_) matrices = transpose(matrices, -2, -1);
    Tensor result = b_.call("aten._grouped_mm.default", {to(rows, dtype), matrices, ends_});
    if (biased_) result = b_.call("aten.add_.Tensor", {result, bias});
    return b_.call("aten.masked_fill.Scalar", {result, masked_, 0.0});
  }

  Tensor gated(const Tensor& both) {
    if (!biased_) {
      const std::vector<Tensor> halves = chunk(both, 2, -1);
      return mul(activation(halves[0], experts_.activation, "act_fn"), halves[1]);
    }
    constexpr double kLimit = 7.0;
    constexpr double kAlpha = 1.702;
    Tensor gate = slice(both, 1, 0, kToEnd, 2);
    Tensor up = slice(both, 1, 1, kToEnd, 2);
    gate = b_.call("aten.clamp.default", {gate, kNone, kLimit});
    up = b_.call("aten.clamp.default", {up, -kLimit, kLimit});
    const Tensor glu = mul(gate, b_.call("aten.sigmoid.default", {mul(gate, kAlpha)}));
    return mul(add(up, 1), glu);
  }

  /// Back in the tokens' order, and each token's results summed.
  Tensor collected(const Tensor& rows, const Tensor& order, DType dtype, std::int64_t width) {
    const Tensor empty = b_.call("aten.empty_like.default", {order});
    Tensor numbers = b_.call("aten.arange.default", {order.size(0)});
    if (order.size(0) == 1) numbers = view(numbers, {});  // as Python's assignment drops leading ones
    const Tensor back = b_.call("aten.index_put_.default", {empty, std::vector<Tensor>{order}, numbers});
    const Tensor in_order = indexed(b_, rows, back);
    const Tensor by_token = view(in_order, {order.size(0) / experts_.chosen, experts_.chosen, width});
    return to(b_.call("aten.sum.dim_IntList", {by_token, Shape{1}}), dtype);
  }

  Builder& b_;
  const Experts& experts_;
  DeviceKind device_;
  bool biased_;
  Tensor ends_, masked_, expert_of_row_;
};

}  // namespace

void Experts::read_counts(const Config& config) {
  count = config.bounded(config.has("num_local_experts") ? "num_local_experts" : "num_experts", count, kMostExperts);
  chosen = config.positive("num_experts_per_tok", chosen);
  if (chosen > count) {
    config.fail("num_experts_per_tok", "is more than the " + std::to_string(count) + " experts");
  }
}

Tensor mixture_of_experts(Builder& builder, const Experts& experts, const Tensor& x, DeviceKind device) {
  const auto scope = builder.scope("mlp", experts.block_class);
  const Shape shape = x.shape();
  const Shape flat = {-1, x.size(-1)};
  const Tensor tokens = experts.router == Router::kGptOss ? reshape(x, flat) : view(x, flat);
  const Choice choice = route(builder, experts, tokens);
  return reshape(ExpertsBuilder(builder, experts, device).build(tokens, choice), shape);
}

}  // namespace nongemm
