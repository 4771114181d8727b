// What the pass `fuse` (passes/fuse) puts in the place of several of PyTorch's operators. Each rounds where these
// round, so that the results are theirs. docs/fuse.md says what is taken in.
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kOverRows = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kOfSum = {.nonlinear = true, .reduction = true};

[[noreturn]] void refuse(const Operands& operands, const std::string& what) {
  throw Error(ErrorKind::kBadInput, operands.node().op + ": " + what);
}

/// Throws unless the operand is a vector as long as a row.
void check_row(const Operands& operands, std::size_t position, const Type& input) {
  if (!operands.has(position)) return;
  const Shape& shape = operands.tensor(position).shape;
  const std::int64_t columns = input.shape.back();
  if (shape.size() == 1 && (shape[0] == columns || shape[0] == kDynamic || columns == kDynamic)) return;
  refuse(operands, "a weight of " + to_string(shape) + " for rows of " + std::to_string(columns));
}

std::vector<Type> infer_rms_norm(const Operands& operands) {
  check_row(operands, 1, operands.tensor(0, 1));
  return like_first(operands);
}

/// (the sum, its norm)
std::vector<Type> infer_norm_of_sum(const Operands& operands) {
  const Type& a = operands.tensor(0, 1);
  const Type& b = operands.tensor(1, 1);
  if (a.shape != b.shape || a.dtype != b.dtype) {
    refuse(operands, "a sum of " + to_string(a.shape) + " and " + to_string(b.shape) + ", which should be alike");
  }
  check_row(operands, operands.position("weight"), a);
  if (operands.schema().find_arg("bias") >= 0) check_row(operands, operands.position("bias"), a);
  const Type result = like_first(operands)[0];
  return {result, result};
}

/// Tables for whole heads, or for one half where both turn by the same.
std::vector<Type> infer_rotary(const Operands& operands) {
  const Type& input = operands.tensor(0, 2);
  for (const std::size_t table : {1, 2}) {
    const Type& angles = operands.tensor(table, 1);
    const std::int64_t width = angles.shape.back();
    if (angles.dtype != input.dtype) refuse(operands, "tables should be of the heads' type");
    if (width != input.shape.back() && 2 * width != input.shape.back()) {
      refuse(operands,
             "tables of " + std::to_string(width) + " angles for heads of " + std::to_string(input.shape.back()));
    }
    Shape rows = angles.shape;
    Shape heads = input.shape;
    rows.back() = heads.back() = 1;
    if (broadcast(rows, heads) != heads) {
      refuse(operands, "tables " + to_string(angles.shape) + " for heads " + to_string(input.shape));
    }
  }
  return operands.flag(operands.position("contiguous")) ? contiguous_like_first(operands) : like_first(operands);
}

std::vector<Type> infer_gated(const Operands& operands) {
  const Type& gate = operands.tensor(0);
  const Type& other = operands.tensor(1);
  if (gate.shape != other.shape || gate.dtype != other.dtype) {
    refuse(operands, "a gate of " + to_string(gate.shape) + " for " + to_string(other.shape));
  }
  const std::string activation(operands.text(operands.position("activation")));
  if (activation != "silu" && activation != "gelu" && activation != "gelu_tanh") {
    refuse(operands, "no activation '" + activation + "'; silu, gelu and gelu_tanh are there");
  }
  return like_first(operands);
}

/// Two products and a sum.
constexpr CostRule kRotaryCost = per_output<3>;

/// As much as the activation by itself (activation.cpp), and a product.
Cost cost_gated(const Operands& operands, std::span<const Type> results) {
  const bool silu = operands.text(operands.position("activation")) == "silu";
  return silu ? per_output<5>(operands, results) : per_output<6>(operands, results);
}

constexpr OpEntry entry(std::string_view schema, Group group, std::string_view variant, Traits traits, InferRule infer,
                        CostRule cost) {
  return {.schema = schema, .group = group, .variant = variant, .traits = traits, .infer = infer, .cost = cost};
}

constexpr std::array kEntries = {
    // `offset` is added to the weight. Where the norm is `wide` the weight is multiplied in fp32, otherwise after the
    // result was rounded to the input's type.
    entry("nongemm::rms_norm(Tensor input, Tensor weight, float eps, *, float offset=0.0, bool wide=False) -> Tensor",
          Group::kNormalization, "RMSNorm", kOverRows, infer_rms_norm, per_output<4>),
    entry("nongemm::add_rms_norm(Tensor self, Tensor other, Tensor weight, float eps, *, float offset=0.0, "
          "bool wide=False) -> (Tensor sum, Tensor normalized)",
          Group::kNormalization, "AddRMSNorm", kOfSum, infer_norm_of_sum, per_output<5>),
    entry("nongemm::add_layer_norm(Tensor self, Tensor other, Tensor? weight, Tensor? bias, float eps) -> (Tensor sum, "
          "Tensor normalized)",
          Group::kNormalization, "AddLayerNorm", kOfSum, infer_norm_of_sum, per_output<9>),
    // Heads [.., width]: the halves (x, y) become (x cos - y sin, y cos + x sin). Where it is `wide` they are rounded
    // once, otherwise after each step.
    entry("nongemm::rotary(Tensor input, Tensor cos, Tensor sin, *, bool wide=False, bool contiguous=False) -> Tensor",
          Group::kArithmetic, "Rotary", {}, infer_rotary, kRotaryCost),
    entry("nongemm::gated_activation(Tensor gate, Tensor other, str activation='silu') -> Tensor", Group::kActivation,
          "GatedActivation", {.nonlinear = true}, infer_gated, cost_gated),
};

}  // namespace

std::span<const OpEntry> fused_entries() { return kEntries; }

}  // namespace nongemm
