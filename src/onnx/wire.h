// The bytes of an ONNX model (onnx.proto).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// TensorProto.DataType
std::int32_t data_type(DType dtype);
/// kUndefined for types that are not handled.
DType dtype_of(std::int32_t data_type);

/// Where a weight's bytes are: in a file beside the model's, or handed over by name.
struct ExternalData {
  std::string location;
  std::uint64_t offset = 0;
};

/// The location given to weights that the caller hands to the runtime by name, so that they are never copied into a
/// file (AddExternalInitializers of ONNX Runtime).
inline constexpr std::string_view kHandedOver = "handed-over";

/// The model with its weights outside.
std::string serialize(
    const ModelDef& model, const std::function<ExternalData(const Initializer& weight)>& place =
                               [](const Initializer&) { return ExternalData{std::string(kHandedOver)}; });

/// A piece of a model that is written in one stream with its weights inside.
using Write = std::function<void(std::string_view bytes)>;

/// The model with its weights inside, which `write_weight` writes when their turn comes: exactly their size each.
/// @throws Error(kUnsupported) when it would not fit into a protobuf message (2 GB)
void serialize_with_weights(const ModelDef& model, const Write& write,
                            const std::function<void(const Initializer& weight)>& write_weight);

/// Bytes of all weights.
std::uint64_t weight_bytes(const ModelDef& model);

}  // namespace nongemm::onnx
