// Small tensors whose values are known when the graph is built: shapes and what ONNX files compute from them.
#pragma once

#include <optional>
#include <vector>

#include "base/tensor.h"
#include "import/onnx_model.h"

namespace nongemm::onnx {

/// Whole numbers up to 2^53 are exact; larger ones (the end of a slice) stay larger than any size.
struct KnownValue {
  DType dtype = DType::kInt64;
  Shape shape;
  std::vector<double> numbers;

  std::vector<std::int64_t> integers() const;
};

inline constexpr std::int64_t kMostKnownElements = 4096;

/// Nothing for tensors that are too large to be sizes.
std::optional<KnownValue> known_value(const HostTensor& tensor);
HostTensor tensor_of(const KnownValue& value);

/// The result of a node whose operands are all known; nothing for operators that do not compute sizes.
/// @param inputs nullptr for one that is left out
std::optional<KnownValue> fold(const ReadNode& node, const std::vector<const KnownValue*>& inputs, std::int64_t opset);

}  // namespace nongemm::onnx
