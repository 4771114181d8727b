// Weights for a model without a checkpoint: values drawn from (seed, tensor name, element index) alone.
#pragma once

#include <cstdint>
#include <vector>

#include "base/tensor.h"
#include "weights/weight_spec.h"

namespace nongemm::weights {

/// Element i depends on nothing but (seed, spec.name, i) and spec.init: not on shape, threads or machine, and fp16 and
/// bf16 values are the rounded fp32 ones.
///
/// Normal values are sums of four 16-bit uniform numbers from an integer hash of i: mean and deviation exact, tails end
/// at 3.46 deviations, kurtosis 2.7 in place of 3. Made for speed and finite activations, not for statistics.
///
/// @throws Error (kFailed) for a normal or uniform init of an integer type, (kOutOfMemory)
HostTensor synthesize(const WeightSpec& spec, std::uint64_t seed);

/// All of them, in order, on up to `threads` threads (0: all there are).
NamedTensors synthesize_all(const std::vector<WeightSpec>& specs, std::uint64_t seed, int threads = 0);

}  // namespace nongemm::weights
