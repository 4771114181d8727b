// Activation functions: element-wise, non-linear in one operand. Paper II-A2.
#include <array>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kSimple = {.single_operation = true, .single_operand = true, .nonlinear = true};
constexpr Traits kCompound = {.single_operand = true, .nonlinear = true};

constexpr OpEntry activation(std::string_view schema, std::string_view variant, Traits traits, CostRule cost) {
  return {.schema = schema,
          .group = Group::kActivation,
          .variant = variant,
          .traits = traits,
          .infer = like_first,
          .cost = cost};
}

constexpr OpEntry in_place_activation(std::string_view schema, std::string_view variant, Traits traits, CostRule cost) {
  OpEntry entry = activation(schema, variant, traits, cost);
  entry.infer = in_place;
  return entry;
}

// Operations per element: tanh and exp count as one, erf as one.
constexpr std::array kEntries = {
    activation("aten::relu(Tensor self) -> Tensor", "ReLU", kSimple, per_output<1>),
    in_place_activation("aten::relu_(Tensor(a!) self) -> Tensor(a!)", "ReLU", kSimple, per_output<1>),
    activation("aten::relu6(Tensor self) -> Tensor", "ReLU6", kSimple, per_output<2>),
    activation("aten::gelu(Tensor self, *, str approximate='none') -> Tensor", "GELU", kCompound, per_output<5>),
    in_place_activation("aten::gelu_(Tensor(a!) self, *, str approximate='none') -> Tensor(a!)", "GELU", kCompound,
                        per_output<5>),
    activation("aten::silu(Tensor self) -> Tensor", "SiLU", kCompound, per_output<4>),
    in_place_activation("aten::silu_(Tensor(a!) self) -> Tensor(a!)", "SiLU", kCompound, per_output<4>),
    activation("aten::tanh(Tensor self) -> Tensor", "Tanh", kSimple, per_output<1>),
    activation("aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", "LeakyReLU", kSimple,
               per_output<2>),
    activation("aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", "ELU",
               kCompound, per_output<4>),
    activation("aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", "Hardtanh", kSimple,
               per_output<2>),
    activation("aten::hardswish(Tensor self) -> Tensor", "Hardswish", kCompound, per_output<4>),
    activation("aten::hardsigmoid(Tensor self) -> Tensor", "Hardsigmoid", kCompound, per_output<3>),
    activation("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", "Softplus", kCompound,
               per_output<3>),
    activation("aten::mish(Tensor self) -> Tensor", "Mish", kCompound, per_output<5>),
};

}  // namespace

std::span<const OpEntry> activation_entries() { return kEntries; }

}  // namespace nongemm
