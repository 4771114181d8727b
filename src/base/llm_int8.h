// What the operators of LLM.int8 hand to each other.
#pragma once

namespace nongemm {

/// Outlier columns of which a quantized activation has copies beside it, filled up with zeros; products take further
/// ones from the activation. Enough for what attention leaves of a handful in its input (some dozens), and what a
/// product's part of the fast memory has room for.
inline constexpr int kGatheredOutliers = 96;

}  // namespace nongemm
