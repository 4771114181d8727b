#include "models/parts/masking.h"

#include <algorithm>

#include "models/parts/functional.h"

namespace nongemm {

double lowest(DType dtype) {
  if (dtype == DType::kFloat16) return -65504.0;
  if (dtype == DType::kBFloat16) return -3.3895313892515355e+38;
  return -3.4028234663852886e+38;
}

namespace {

/// The caller's int64 mask as booleans.
Tensor to_bool(Builder& builder, const Tensor& mask) {
  return builder.call("aten.to.device", {mask, kNone, DType::kBool});
}

/// `mask.sum() == mask.numel()`, read by the host.
void check_all_ones(Builder& builder, const Tensor& mask) {
  const Tensor sum = builder.call("aten.sum.default", {mask});
  const Tensor equal = builder.call("aten.eq.Scalar", {sum, mask.shape().at(0) * mask.shape().at(1)});
  builder.call("aten.is_nonzero.default", {equal});
}

/// `mask & other.to(mask.device)`: PyTorch dispatches the move, though both are where they should be.
Tensor both(Builder& builder, const Tensor& mask, const Tensor& other) {
  return builder.call("aten.__and__.Tensor", {mask, builder.call("aten.to.dtype_layout", {other})});
}

Tensor arange(Builder& builder, std::int64_t end) { return builder.call("aten.arange.default", {end}); }

Tensor all_true(Builder& builder, const Tensor& like) {
  return builder.call("aten.new_ones.default", {like, Shape{}}, {{"dtype", DType::kBool}});
}

/// Where a query may look, but for padding.
/// @param queries [1, 1, n, 1], keys [1, 1, 1, m]: their positions
Tensor visible(Builder& builder, const Tensor& queries, const Tensor& keys, bool causal, std::int64_t window) {
  const auto order = [&] {
    return causal ? builder.call("aten.le.Tensor", {keys, queries}) : builder.call("aten.ge.Scalar", {queries, 0});
  };
  if (window == kNoWindow) return order();
  Tensor mask = all_true(builder, queries);
  if (causal) {
    mask = both(builder, mask, builder.call("aten.gt.Tensor", {keys, fn::sub(queries, window)}));
  } else {
    const Tensor distance = builder.call("aten.abs.default", {fn::sub(queries, keys)});
    mask = both(builder, mask, builder.call("aten.le.Scalar", {distance, window}));
  }
  return both(builder, mask, order());
}

/// The boolean [batch, 1, queries, keys] mask, true where a key may be seen.
Tensor boolean_mask(Builder& builder, const Tensor& padding_mask, std::int64_t batch, std::int64_t query_count,
                    bool causal, std::int64_t window, const MaskSpan& span) {
  using namespace fn;
  Tensor rows = arange(builder, batch);
  Tensor heads = arange(builder, 1);  // dispatched, though a mask that is the same for all heads does not use it
  Tensor queries = arange(builder, query_count);
  queries = span.counted_past ? add(queries, span.counted_past) : add(queries, span.past);
  Tensor keys = arange(builder, span.keys);
  keys = span.counted_first_key ? add(keys, span.counted_first_key) : add(keys, span.first_key);
  rows = unsqueeze(unsqueeze(unsqueeze(rows, 1), 2), 3);
  heads = unsqueeze(unsqueeze(unsqueeze(heads, 0), 2), 3);
  queries = unsqueeze(unsqueeze(unsqueeze(queries, 0), 1), 3);
  keys = unsqueeze(unsqueeze(unsqueeze(keys, 0), 1), 2);
  Tensor mask;
  if (padding_mask) mask = all_true(builder, queries);
  const Tensor seen = visible(builder, queries, keys, causal, window);
  mask = padding_mask ? both(builder, mask, seen) : seen;
  if (padding_mask) {
    mask = both(builder, mask, builder.call("aten.index.Tensor", {padding_mask, std::vector<Tensor>{rows, keys}}));
  }
  return expand(mask, {batch, -1, query_count, span.keys});
}

MaskSpan without_cache(const Tensor& padding_mask, std::int64_t queries) {
  return {.keys = padding_mask ? padding_mask.size(1) : queries};
}

/// _ignore_causal_mask_sdpa: whether is_causal says all there is to say.
/// @param mask booleans, or None; by the options it has zeros or none
bool is_plain(Builder& builder, Tensor mask, std::int64_t tokens, const ModelOptions& options, std::int64_t window,
              const MaskSpan& span) {
  const bool padded = mask && options.padding == Padding::kPadded;
  if (mask && mask.size(1) > span.keys) {
    const Tensor seen = fn::add(arange(builder, span.keys), span.first_key);
    mask = builder.call("aten.index.Tensor", {mask, std::vector<Tensor>{Tensor(), seen}});
  }
  if (window != kNoWindow && span.keys >= window) return false;  // is_causal cannot say it
  if (tokens == 1 || tokens == span.keys) {
    if (mask) check_all_ones(builder, mask);
    if (!padded) return true;
  }
  if (span.past != 0) return false;
  if (!mask) return true;
  check_all_ones(builder, fn::index_slice(mask, 1, 0, tokens));  // for the part that the queries cover
  return !padded;
}

Tensor additive_mask(Builder& builder, const Tensor& boolean, DType dtype) {
  auto [zero, bytes] = HostTensor::allocate(dtype, {});
  std::fill_n(bytes, zero.byte_size(), std::byte{0});
  return builder.call("aten.where.ScalarOther", {boolean, builder.constant(std::move(zero)), lowest(dtype)});
}

}  // namespace

Tensor causal_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t tokens, DType dtype,
                   const ModelOptions& options, std::int64_t window) {
  const MaskSpan span = without_cache(padding_mask, tokens);
  return causal_mask(builder, padding_mask, batch, tokens, dtype, options, window, span);
}

Tensor causal_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t tokens, DType dtype,
                   const ModelOptions& options, std::int64_t window, const MaskSpan& span) {
  if (padding_mask) padding_mask = to_bool(builder, padding_mask);
  // `q_offset.to(inputs_embeds.device)`, dispatched though it is there.
  if (span.counted_past) builder.call("aten.to.dtype_layout", {span.counted_past});
  if (options.attention == Attention::kEager) {
    return additive_mask(builder, boolean_mask(builder, padding_mask, batch, tokens, true, window, span), dtype);
  }
  const bool may_be_left_out = !span.is_static || tokens > 1;
  if (may_be_left_out && is_plain(builder, padding_mask, tokens, options, window, span)) return {};
  return boolean_mask(builder, padding_mask, batch, tokens, true, window, span);
}

void check_for_packing(Builder& builder, const Tensor& positions, std::int64_t batch) {
  const Tensor position_ids = positions.size(0) == batch ? positions : fn::expand(positions, {batch, -1});
  const Tensor before = fn::sub(fn::index_slice(position_ids, 1, 0, 1), 1);
  const Tensor steps = builder.call("aten.diff.default", {position_ids, 1, -1, before});
  const Tensor breaks = builder.call("aten.cumsum.default", {builder.call("aten.ne.Scalar", {steps, 1}), -1});
  const Tensor none = builder.call("aten.eq.Scalar", {fn::select(breaks, 1, -1), 0});
  builder.call("aten.is_nonzero.default", {builder.call("aten.all.default", {none})});
}

Tensor bidirectional_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t queries, DType dtype,
                          const ModelOptions& options, std::int64_t window) {
  if (padding_mask) {
    padding_mask = to_bool(builder, padding_mask);
    builder.call("aten.is_nonzero.default", {builder.call("aten.all.default", {padding_mask})});
  }
  const bool padded = padding_mask && options.padding == Padding::kPadded;
  const std::int64_t keys = padding_mask ? padding_mask.size(1) : queries;
  if (!padded && (window == kNoWindow || keys < window)) return {};
  const Tensor boolean =
      boolean_mask(builder, padding_mask, batch, queries, false, window, without_cache(padding_mask, queries));
  return options.attention == Attention::kEager ? additive_mask(builder, boolean, dtype) : boolean;
}

}  // namespace nongemm
