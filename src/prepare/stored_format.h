// What a config.json says of weights that were quantized before (`quantization_config`).
#pragma once

#include <optional>

#include "models/config.h"
#include "passes/stored_weights.h"

namespace nongemm {

/// Nothing where the configuration has no `quantization_config`, or one that asks for nothing. Throws Error(kBadInput)
/// naming the method, or what of it is not built in.
std::optional<passes::StoredWeights> stored_weights_of(const Config& config);

/// The same model as it is built before its weights are put in place.
Config without_quantization(const Config& config);

}  // namespace nongemm
