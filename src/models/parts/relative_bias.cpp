#include "models/parts/relative_bias.h"

#include <cmath>

#include "models/parts/functional.h"
#include "models/parts/modules.h"

namespace nongemm {
namespace {

using namespace fn;

/// _relative_position_bucket: half of the buckets for each direction; of these, half for one distance each.
Tensor bucket_of(Builder& b, const RelativeBias& bias, const Tensor& relative) {
  const std::int64_t half = bias.buckets / 2;
  const std::int64_t exact = half / 2;
  const Tensor turned = bias.from_key ? neg(relative) : relative;
  const Tensor behind = b.call(bias.from_key ? "aten.lt.Scalar" : "aten.gt.Scalar", {turned, 0});
  const Tensor first = add(mul(to(behind, DType::kInt64), half), 0);
  const Tensor distance = b.call("aten.abs.default", {turned});
  const Tensor is_small = b.call("aten.lt.Scalar", {distance, exact});
  const Tensor logarithm = b.call("aten.log.default", {div(to(distance, DType::kFloat32), exact)});
  const double range = std::log(static_cast<double>(bias.farthest) / static_cast<double>(exact));
  Tensor large = add(to(mul(div(logarithm, range), half - exact), DType::kInt64), exact);
  large = b.call("aten.min.other", {large, b.call("aten.full_like.default", {large, half - 1})});
  return b.call("aten.add_.Tensor", {first, b.call("aten.where.self", {is_small, distance, large})});
}

}  // namespace

Tensor relative_bias(Builder& builder, const RelativeBias& bias, std::int64_t table_buckets, std::int64_t heads,
                     std::int64_t tokens, InitSpec init) {
  const auto counted = [&] { return builder.call("aten.arange.default", {tokens}, {{"dtype", DType::kInt64}}); };
  Tensor queries = unsqueeze(counted(), 1);
  if (!bias.from_key) queries = add(queries, 0);
  const Tensor keys = unsqueeze(counted(), 0);
  Tensor buckets = bucket_of(builder, bias, sub(keys, queries));
  if (bias.from_key) buckets = builder.call("aten.to.dtype_layout", {buckets});
  const Tensor table = nn::embedding_table(builder, "relative_attention_bias", table_buckets, heads, init);
  const Tensor values = nn::embedding(builder, "relative_attention_bias", table, buckets);
  return unsqueeze(permute(values, {2, 0, 1}), 0);
}

}  // namespace nongemm
