// Fused attention: matrix multiplications and a softmax in one operator.
#include <algorithm>
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

// --- scaled_dot_product_attention: query [n.., heads, q, d], key [n.., heads, k, d], value [n.., heads, k, dv] ---
std::vector<Type> infer_sdpa(const Operands& operands) {
  const Type& query = operands.tensor(0, 1);
  const std::int64_t out = operands.tensor(2, 1).shape.back();
  // The fused kernels lay the result out as the query, mostly [n, q, heads, d], so that the reshape after it is free.
  if (out == query.shape.back()) return like_first(operands);
  Shape shape = query.shape;
  shape.back() = out;
  return {tensor_type(query.dtype, shape)};
}

/// Pairs of a query and a key that it sees. Causal: query i sees keys 0 to i, from the first ones on where there are
/// more keys than queries, as PyTorch has it.
double seen_pairs(double queries, double keys, bool causal) {
  if (!causal) return queries * keys;
  const double rising = std::min(queries, keys);  // queries that do not see all keys yet, and the first that does
  return rising * (rising + 1.0) / 2.0 + (queries - rising) * keys;
}

Cost cost_sdpa(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Shape& query = operands.tensor(0, 2).shape;
  const auto size = [](std::int64_t dim) { return dim == kDynamic ? kUnknownWork : static_cast<double>(dim); };
  const double queries = size(query[query.size() - 2]);
  const double width = size(query.back());
  const Shape& key = operands.tensor(1, 2).shape;
  const double heads = count_of(operands.tensor(0)) / (queries * width);  // of all batches
  const double scores =
      heads * seen_pairs(queries, size(key[key.size() - 2]), operands.flag(operands.position("is_causal")));
  // Two matrix multiplications, and about five operations per score for scale and softmax.
  cost.flops = scores * (2.0 * width + 2.0 * size(operands.tensor(2, 1).shape.back()) + 5.0);
  return cost;
}

// --- _scaled_dot_product_flash_attention_for_cpu: what the above becomes in a program decomposed on a host ---
std::vector<Type> infer_flash_for_cpu(const Operands& operands) {
  const Type& query = operands.tensor(0, 4);
  const Shape& s = query.shape;  // [n, heads, q, d]
  const Type result = like_first(operands)[0];
  Type sums = tensor_type(query.dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32, {s[0], s[1], s[2]});
  sums.strides = {s[1] * s[2], 1, s[1]};
  if (is_contiguous(sums)) sums.strides.clear();
  return {result, sums};
}

// --- _native_multi_head_attention: query, key, value [n, s, embed]; qkv_weight [3 embed, embed] ---
std::vector<Type> infer_native_mha(const Operands& operands) {
  const Type& query = operands.tensor(0, 2);
  const bool need_weights = operands.flag(10);
  Type weights = tensor_type(query.dtype, {0});
  if (need_weights) {
    const std::int64_t keys = operands.tensor(1, 2).shape[1];
    weights.shape = {query.shape[0], query.shape[1], keys};
    if (!operands.flag(11)) weights.shape.insert(weights.shape.begin() + 1, operands.integer(4));
  }
  return {tensor_type(query.dtype, query.shape), weights};
}

Cost cost_native_mha(const Operands& operands, std::span<const Type> results) {
  // Query, key and value are one tensor in self-attention: it is read once.
  Cost cost = traffic(operands, results.first(1));
  cost.bytes_read -= 2.0 * bytes_of(operands.tensor(0));
  const Shape& shape = operands.tensor(0, 3).shape;
  const auto size = [](std::int64_t dim) { return dim == kDynamic ? kUnknownWork : static_cast<double>(dim); };
  const double tokens = size(shape[0]) * size(shape[1]);
  const double embed = size(shape[2]);
  const double scores = tokens * size(shape[1]) * static_cast<double>(operands.integer(4));
  cost.flops = tokens * 8.0 * embed * embed + tokens * size(shape[1]) * 4.0 * embed + 5.0 * scores;
  return cost;
}

constexpr Traits kTraits = {.nonlinear = true, .reduction = true};

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, "
                      "Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, "
                      "bool enable_gqa=False) -> Tensor",
            .group = Group::kAttention,
            .variant = "ScaledDotProductAttention",
            .traits = kTraits,
            .infer = infer_sdpa,
            .cost = cost_sdpa,
            .lower = onnx_rules::scaled_dot_product_attention},
    OpEntry{.schema = "aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, "
                      "float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) "
                      "-> (Tensor output, Tensor logsumexp)",
            .group = Group::kAttention,
            .variant = "ScaledDotProductAttention",
            .traits = kTraits,
            .infer = infer_flash_for_cpu,
            .cost = cost_sdpa,
            .lower = onnx_rules::flash_attention_for_cpu},
    OpEntry{.schema = "aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, "
                      "int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, "
                      "Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, "
                      "int? mask_type=None) -> (Tensor, Tensor)",
            .group = Group::kAttention,
            .variant = "NativeMultiHeadAttention",
            .traits = kTraits,
            .infer = infer_native_mha,
            .cost = cost_native_mha,
            .lower = onnx_rules::native_multi_head_attention},
};

}  // namespace

std::span<const OpEntry> attention_entries() { return kEntries; }

}  // namespace nongemm
