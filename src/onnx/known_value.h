// Tensors whose values are known when a model is read or written.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/tensor.h"

namespace nongemm::onnx {

/// Whole numbers up to 2^53 are exact; larger ones (the end of a slice) stay larger than any size.
struct KnownValue {
  DType dtype = DType::kInt64;
  Shape shape;
  std::vector<double> numbers;

  std::vector<std::int64_t> integers() const;
};

/// What sizes and the lists of them stay below.
inline constexpr std::int64_t kMostKnownElements = 4096;

/// Nothing for tensors of more than `most` elements.
std::optional<KnownValue> known_value(const HostTensor& tensor, std::int64_t most = kMostKnownElements);
HostTensor tensor_of(const KnownValue& value);

/// Each number as its dtype keeps it: floating-point numbers rounded, others whole.
void round_to_dtype(KnownValue& value);

}  // namespace nongemm::onnx
