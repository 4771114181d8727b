// Which operators are run as one.
#pragma once

#include <cstdint>

namespace nongemm {

enum class FuseKind : std::uint8_t {
  kNone,
  kNorm,        // normalizations, with the addition before them
  kFrozenNorm,  // batch norms whose statistics are weights, written out
  kRotary,      // rotary position embeddings
  kGate,        // activations and the product behind them
  kGelu,        // GELU where it is written out
  kAll,
};

}  // namespace nongemm
