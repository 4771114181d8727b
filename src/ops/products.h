// What the operators of the GEMM group share: gemm.cpp, einsum.cpp, convolution.cpp.
#pragma once

#include <string>

#include "base/error.h"
#include "ops/rules.h"

namespace nongemm::products {

/// Two dimensions that are summed over together.
inline void check_inner(const Operands& operands, std::int64_t a, std::int64_t b) {
  if (a == b || a == kDynamic || b == kDynamic) return;
  throw Error(ErrorKind::kBadInput,
              operands.node().op + ": inner dimensions " + std::to_string(a) + " and " + std::to_string(b) + " differ");
}

inline double known(std::int64_t size) { return size == kDynamic ? kUnknownWork : static_cast<double>(size); }

/// Sums of many products each.
inline constexpr Traits kTraits = {.reduction = true};

/// A row of the GEMM group.
constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, CostRule cost,
                        LowerRule lower) {
  return {.schema = schema,
          .group = Group::kGemm,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

}  // namespace nongemm::products
