// Fused attention: matrix multiplications and a softmax in one operator.
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

Cost cost_sdpa(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Shape& query = operands.tensor(0, 2).shape;
  const double keys = static_cast<double>(operands.tensor(1, query.size() - 1).shape[query.size() - 2]);
  const double scores = count_of(operands.tensor(0)) / static_cast<double>(query.back()) * keys;
  // Two matrix multiplications, and about five operations per score for scale and softmax. Causal halves the work.
  cost.flops = scores * (2.0 * static_cast<double>(query.back()) +
                         2.0 * static_cast<double>(operands.tensor(2, 1).shape.back()) + 5.0);
  if (operands.flag(5)) cost.flops /= 2.0;
  return cost;
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
  const double tokens = static_cast<double>(shape[0] * shape[1]);
  const double embed = static_cast<double>(shape[2]);
  const double scores = tokens * static_cast<double>(shape[1]) * static_cast<double>(operands.integer(4));
  cost.flops = tokens * 8.0 * embed * embed + tokens * static_cast<double>(shape[1]) * 4.0 * embed + 5.0 * scores;
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
