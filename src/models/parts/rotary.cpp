// The operators of rotary position embedding; the frequencies come from rope.cpp.
#include <limits>
#include <utility>

#include "models/parts/functional.h"
#include "models/parts/rope.h"

namespace nongemm {
namespace {

using namespace fn;

Tensor frequencies(Builder& b, const std::vector<float>& values) {
  return b.constant(HostTensor::from<float>(DType::kFloat32, {static_cast<std::int64_t>(values.size())}, values));
}

void read_on_host(Builder& b, const Tensor& condition) { b.call("aten.is_nonzero.default", {condition}); }

Tensor length_of(Builder& b, const Tensor& position_ids) { return add(b.call("aten.max.default", {position_ids}), 1); }

/// dynamic_frequency_update: the table has grown to this length in the first call; later ones compare and keep it.
Tensor dynamic_table(Builder& b, const Rope& rope, const Tensor& position_ids, std::int64_t tokens) {
  const Tensor length = length_of(b, position_ids);
  if (tokens > rope.positions) {
    const Tensor grown = b.constant(HostTensor::from<std::int64_t>(DType::kInt64, {}, {tokens}));
    read_on_host(b, b.call("aten.gt.Tensor", {length, grown}));
  } else {
    read_on_host(b, b.call("aten.gt.Scalar", {length, rope.positions}));
  }
  read_on_host(b, b.call("aten.lt.Scalar", {length, rope.positions}));
  return frequencies(b, inverse_frequencies(rope, tokens));
}

/// longrope_frequency_update: long sequences compute their table in every call.
Tensor longrope_table(Builder& b, const Rope& rope, const Tensor& position_ids, std::int64_t tokens) {
  const Tensor length = length_of(b, position_ids);
  read_on_host(b, b.call("aten.gt.Scalar", {length, rope.original_positions}));
  if (tokens <= rope.original_positions) {  // `.to(device)`: dispatched, though they are there
    return b.call("aten.to.dtype_layout", {frequencies(b, inverse_frequencies(rope, tokens))});
  }
  const Tensor factors = frequencies(b, {rope.long_factors.begin(), rope.long_factors.end()});
  const Tensor even = b.call("aten.arange.start_step", {0, rope.head_width, 2}, {{"dtype", DType::kInt64}});
  const Tensor exponents = div(to(even, DType::kFloat32), rope.head_width);
  const Tensor wavelengths = mul(factors, b.call("aten.pow.Scalar", {rope.theta, exponents}));
  return mul(reciprocal(wavelengths), 1.0);
}

/// @param tokens of the sequence so far
Tensor table(Builder& b, const Rope& rope, const Tensor& position_ids, std::int64_t tokens) {
  if (rope.type == Rope::Type::kDynamic) return dynamic_table(b, rope, position_ids, tokens);
  if (rope.type == Rope::Type::kLongRope) return longrope_table(b, rope, position_ids, tokens);
  return frequencies(b, inverse_frequencies(rope, tokens));
}

/// rotate_half: the two halves (x, y) of each head become (-y, x).
Tensor half_turn(const Tensor& x) {
  const std::int64_t half = x.size(3) / 2;
  const Tensor first = slice(x, 3, 0, half);
  const Tensor second = slice(x, 3, half, std::numeric_limits<std::int64_t>::max());
  return cat({neg(second), first}, -1);
}

}  // namespace

namespace {

/// Positions times frequencies, [1 or batch, tokens, head_width / 2]
Tensor angles_of(Builder& b, const Rope& rope, const Tensor& position_ids, std::int64_t length) {
  const std::int64_t samples = position_ids.size(0);
  Tensor inverse = unsqueeze(unsqueeze(table(b, rope, position_ids, length), 0), 2);
  if (!rope.casts_factors) {
    // `.to(x.device)`: dispatched, though it is there.
    inverse = b.call("aten.to.device", {expand(inverse, {samples, -1, 1}), kNone, DType::kFloat32});
    const Tensor positions = to(unsqueeze(position_ids, 1), DType::kFloat32);
    return transpose(matmul(inverse, positions), 1, 2);
  }
  inverse = b.call("aten.to.dtype_layout", {expand(to(inverse, DType::kFloat32), {samples, -1, 1})});
  const Tensor positions = to(unsqueeze(position_ids, 1), DType::kFloat32);
  inverse = to(inverse, DType::kFloat32);
  return transpose(matmul(inverse, to(positions, DType::kFloat32)), 1, 2);
}

}  // namespace

RotaryTables rotary_tables(Builder& b, const Rope& rope, const Tensor& position_ids, DType dtype, std::int64_t length) {
  Tensor angles = angles_of(b, rope, position_ids, length > 0 ? length : position_ids.size(1));
  if (!rope.half_tables) angles = cat({angles, angles}, -1);
  const Tensor cosine = mul(cos(angles), rope.attention_scaling);
  const Tensor sine = mul(sin(angles), rope.attention_scaling);
  const Tensor cast = to(cosine, dtype);
  return {cast, to(sine, dtype)};
}

void rotate_halves(const RotaryTables& tables, Tensor& query, Tensor& key) {
  const Tensor cosine = unsqueeze(tables.cos, 1);
  const Tensor sine = unsqueeze(tables.sin, 1);
  for (Tensor* x : {&query, &key}) {
    const std::vector<Tensor> halves = chunk(*x, 2, -1);
    const Tensor first_straight = mul(halves[0], cosine);
    const Tensor first = sub(first_straight, mul(halves[1], sine));
    const Tensor second_straight = mul(halves[1], cosine);
    *x = cat({first, add(second_straight, mul(halves[0], sine))}, -1);
  }
}

namespace {

/// x [batch, heads, tokens, width] turned by tables [1, 1, tokens, width].
Tensor turned(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const Tensor straight = mul(x, cosine);
  return add(straight, mul(half_turn(x), sine));
}

}  // namespace

void rotate(const RotaryTables& tables, Tensor& query, Tensor& key) {
  const Tensor cosine = unsqueeze(tables.cos, 1);
  const Tensor sine = unsqueeze(tables.sin, 1);
  query = turned(query, cosine, sine);
  key = turned(key, cosine, sine);
}

void rotate_part(const RotaryTables& tables, Tensor& query, Tensor& key) {
  const Tensor cosine = unsqueeze(tables.cos, 1);
  const Tensor sine = unsqueeze(tables.sin, 1);
  const std::int64_t width = cosine.size(-1);
  const auto halves = [&](const Tensor& x) {
    const Tensor rotated = index_slice(x, 3, 0, width);
    return std::pair(rotated, slice(x, 3, width, kToEnd));
  };
  const auto [query_rotated, query_rest] = halves(query);
  const auto [key_rotated, key_rest] = halves(key);
  query = cat({turned(query_rotated, cosine, sine), query_rest}, -1);
  key = cat({turned(key_rotated, cosine, sine), key_rest}, -1);
}

void rotate_in_float(const RotaryTables& tables, Tensor& query, Tensor& key) {
  const Tensor cosine = unsqueeze(tables.cos, 1);
  const Tensor sine = unsqueeze(tables.sin, 1);
  const auto turn = [&](const Tensor& x) {
    const Tensor straight = mul(to(x, DType::kFloat32), cosine);
    return add(straight, mul(half_turn(to(x, DType::kFloat32)), sine));
  };
  const DType dtype = query.dtype();
  query = turn(query);
  key = turn(key);
  query = to(query, dtype);
  key = to(key, dtype);
}

}  // namespace nongemm
