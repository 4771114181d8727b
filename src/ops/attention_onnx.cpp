// ONNX rules of attention.cpp: no opset that runtimes know has fused attention, so it is lowered to its parts, in the
// form that runtimes recognise and fuse again.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;

struct Attention {
  Name query;  // [..., heads, q, d]
  Name key;    // [..., heads, k, d]
  Name value;  // [..., heads, k, dv]
  std::size_t rank = 4;
  DType dtype = DType::kFloat32;
  double scale = 1.0;
};

Name scores(OnnxLowering& onnx, const Attention& attention) {
  std::vector<std::size_t> order(attention.rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[attention.rank - 2], order[attention.rank - 1]);
  // The query is scaled and not the scores, which would overflow sooner in fp16.
  Name query = attention.query;
  if (attention.scale != 1.0) query = onnx.add("Mul", {query, onnx.scalar(attention.scale, attention.dtype)});
  return onnx.add("MatMul", {query, onnx.transpose(attention.key, order)});
}

Name softmax(OnnxLowering& onnx, Name value) {
  return onnx.add("Softmax", {std::move(value)}, {{"axis", std::int64_t{-1}}});
}

double lowest(DType dtype) {
  return dtype == DType::kFloat16 ? -65504.0 : -3.3895313892515355e38;  // bfloat16's, in float's range too
}

/// Added to the scores: 0 where query i may see key j, j <= i, and the lowest number elsewhere. Adding is what
/// PyTorch's exporters do and what runtimes fuse with the softmax; they compute the mask itself once, when they load.
Name causal_mask(OnnxLowering& onnx, DType dtype) {
  const Shape& query = onnx.operands().tensor(0).shape;
  const Shape& key = onnx.operands().tensor(1, 2).shape;
  const std::int64_t rows = query[query.size() - 2];
  const std::int64_t columns = key[key.size() - 2];
  if (rows == kDynamic || columns == kDynamic) onnx.unsupported("a causal mask over a length that only the run knows");
  const auto range = [&](std::int64_t size, Shape shape) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), std::int64_t{0});
    return onnx.constant(HostTensor::from(DType::kInt64, std::move(shape), values));
  };
  const Name seen = onnx.add("GreaterOrEqual", {range(rows, {rows, 1}), range(columns, {1, columns})});
  return onnx.add("Where", {seen, onnx.scalar(0.0, dtype), onnx.scalar(lowest(dtype), dtype)});
}

/// Each key and value head serves several query heads.
Name repeated_heads(OnnxLowering& onnx, Name value, const Shape& shape, std::int64_t query_heads) {
  const std::size_t heads = shape.size() - 3;
  if (shape[heads] == query_heads) return value;
  const std::size_t unknown = static_cast<std::size_t>(std::count(shape.begin(), shape.end(), kDynamic));
  if (unknown > 1 || shape[heads] == kDynamic) onnx.unsupported("heads of unknown sizes");
  if (shape[heads] == 0) onnx.unsupported("keys and values without heads");
  Shape expanded = unknown == 0 ? shape : Shape(shape.size(), 1);  // a size of 1 leaves an operand's as it is
  expanded.insert(expanded.begin() + static_cast<std::ptrdiff_t>(heads) + 1, query_heads / shape[heads]);
  Shape merged = shape;
  merged[heads] = query_heads;
  value = onnx.unsqueeze(std::move(value), static_cast<std::int64_t>(heads) + 1);
  return onnx.reshape(onnx.add("Expand", {value, onnx.integer_constants(expanded)}), merged);
}

struct Attended {
  Name result;
  Name scores;  // that the softmax takes
};

Attended attended(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Type& query = operands.tensor(0, 2);
  const std::size_t mask_arg = operands.position("attn_mask");
  const std::size_t scale_arg = operands.position("scale");
  const int grouped = operands.schema().find_arg("enable_gqa");
  Attention attention{onnx.tensor(0), onnx.tensor(1), onnx.tensor(2), query.shape.size(), query.dtype};
  attention.scale =
      operands.has(scale_arg) ? operands.number(scale_arg) : 1.0 / std::sqrt(static_cast<double>(query.shape.back()));
  if (grouped >= 0 && operands.flag(static_cast<std::size_t>(grouped))) {
    const Shape& shape = operands.tensor(0, 3).shape;
    const std::int64_t heads = shape[shape.size() - 3];
    attention.key = repeated_heads(onnx, attention.key, operands.tensor(1, 3).shape, heads);
    attention.value = repeated_heads(onnx, attention.value, operands.tensor(2, 3).shape, heads);
  }
  Name value = scores(onnx, attention);
  const bool masked = operands.has(mask_arg) && operands.tensor(mask_arg).dtype == DType::kBool;
  if (masked) {
    value = onnx.add("Where", {onnx.tensor(mask_arg), value, onnx.scalar(lowest(query.dtype), query.dtype)});
  } else if (operands.has(mask_arg)) {
    value = onnx.add("Add", {value, onnx.tensor(mask_arg, query.dtype)});
  } else if (operands.flag(operands.position("is_causal"))) {
    value = onnx.add("Add", {value, causal_mask(onnx, query.dtype)});
  }
  Name weights = softmax(onnx, value);
  // A query that may see nothing gives zeros in PyTorch.
  if (masked) weights = onnx.add("Where", {onnx.tensor(mask_arg), weights, onnx.scalar(0.0, query.dtype)});
  return {onnx.add("MatMul", {weights, attention.value}), value};
}

}  // namespace

void scaled_dot_product_attention(OnnxLowering& onnx) { onnx.result(attended(onnx).result); }

void flash_attention_for_cpu(OnnxLowering& onnx) {
  const Attended all = attended(onnx);
  onnx.result(all.result);
  const Name scores = onnx.cast(all.scores, onnx.operands().tensor(0).dtype, onnx.result_type(1).dtype);
  onnx.result(onnx.reduce("ReduceLogSumExp", scores, {-1}, false));
}

void native_multi_head_attention(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Type& query = operands.tensor(0, 2);
  if (operands.has(9)) onnx.unsupported("a mask in the fused multi-head attention");
  if (std::find(query.shape.begin(), query.shape.end(), kDynamic) != query.shape.end()) {
    onnx.unsupported("a sequence whose length only the run knows");
  }
  const std::int64_t embed = operands.integer(3);
  const std::int64_t heads = operands.integer(4);
  if (heads < 1) onnx.unsupported("attention without heads");
  const std::int64_t head_size = embed / heads;
  const auto* first = std::get_if<Use>(&operands.raw(0));
  if (!(*first == std::get<Use>(operands.raw(1)) && *first == std::get<Use>(operands.raw(2)))) {
    onnx.unsupported("query, key and value of different tensors in the fused multi-head attention");
  }
  const Name packed = onnx.add("Add", {onnx.add("MatMul", {onnx.tensor(0), onnx.transposed(5)}), onnx.tensor(6)});
  const Name thirds = onnx.integer_constants({embed, embed, embed});
  const OnnxLowering::Names parts = onnx.add_many("Split", {packed, thirds}, 3, {{"axis", std::int64_t{2}}});
  const auto by_head = [&](const Name& part) {  // [n, s, embed] -> [n, heads, s, d]
    const Shape shape = {query.shape[0], query.shape[1], heads, head_size};
    return onnx.transpose(onnx.reshape(part, shape), {0, 2, 1, 3});
  };
  Attention attention{by_head(parts[0]), by_head(parts[1]), by_head(parts[2]), 4, query.dtype};
  attention.scale = 1.0 / std::sqrt(static_cast<double>(head_size));
  const Name weights = softmax(onnx, scores(onnx, attention));
  const Name attended = onnx.transpose(onnx.add("MatMul", {weights, attention.value}), {0, 2, 1, 3});
  const Name merged = onnx.reshape(attended, {query.shape[0], query.shape[1], embed});
  onnx.result(onnx.add("Add", {onnx.add("MatMul", {merged, onnx.transposed(7)}), onnx.tensor(8)}));
  if (!operands.flag(10)) return onnx.result(filled(onnx, onnx.integer_constants({0}), 0.0, query.dtype));
  onnx.result(operands.flag(11) ? onnx.reduce("ReduceMean", weights, {1}, false) : weights);
}

}  // namespace nongemm::onnx_rules
