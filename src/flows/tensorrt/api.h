// TensorRT's headers, and what differs between 8.5, 8.6, 10 and 11. No other file asks for the version.
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/dtype.h"

namespace nongemm::tensorrt {

/// Engines know their precision from the model's types alone; flags for it are gone.
inline constexpr bool kOnlyStronglyTyped = NV_TENSORRT_MAJOR >= 11;

/// The parser knows LayerNormalization from 8.6 on.
inline constexpr bool kNoLayerNormalization = NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR < 6;

/// The network's shapes contain the batch, and from version 11 on types are the model's.
inline nvinfer1::NetworkDefinitionCreationFlags network_flags() {
#if NV_TENSORRT_MAJOR >= 10
  return 0;
#else
  return 1U << static_cast<unsigned>(nvinfer1::NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
#endif
}

/// How hard the builder searches, 0 to 5. Does nothing before 8.6, which has one way only.
inline void set_optimization_level(nvinfer1::IBuilderConfig& config, int level) {
#if NV_TENSORRT_MAJOR > 8 || (NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR >= 6)
  config.setBuilderOptimizationLevel(level);
#else
  (void)config;
  (void)level;
#endif
}

// Deprecated in the last versions 10 and gone in 11: older ones know no other way.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

inline void allow_fp16(nvinfer1::IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR < 11
  config.setFlag(nvinfer1::BuilderFlag::kFP16);
#else
  (void)config;
#endif
}

inline void allow_bf16(nvinfer1::IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR == 10
  config.setFlag(nvinfer1::BuilderFlag::kBF16);
#else
  (void)config;
#endif
}

/// Only its speed is of interest: every tensor gets the same range, as trtexec does without a calibration.
inline bool allow_int8(nvinfer1::INetworkDefinition& network, nvinfer1::IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR < 11
  constexpr float kRange = 4.0F;
  config.setFlag(nvinfer1::BuilderFlag::kINT8);
  for (int i = 0; i < network.getNbInputs(); ++i) network.getInput(i)->setDynamicRange(-kRange, kRange);
  for (int i = 0; i < network.getNbLayers(); ++i) {
    const nvinfer1::ILayer* layer = network.getLayer(i);
    for (int j = 0; j < layer->getNbOutputs(); ++j) layer->getOutput(j)->setDynamicRange(-kRange, kRange);
  }
  return true;
#else
  (void)network;
  (void)config;
  return false;
#endif
}

/// Layers that the model quantizes itself, by QuantizeLinear and DequantizeLinear with scales of its own.
inline void take_quantized_layers(nvinfer1::IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR < 11
  config.setFlag(nvinfer1::BuilderFlag::kINT8);
#else
  (void)config;
#endif
}

#pragma GCC diagnostic pop

/// kUndefined for types that graphs do not have.
inline DType dtype_of(nvinfer1::DataType type) {
  return dtype_by(&DTypeInfo::tensorrt, static_cast<std::int32_t>(type)).value_or(DType::kUndefined);
}

/// Device memory that an execution context needs for what lies between layers, bytes.
inline std::uint64_t context_bytes(const nvinfer1::ICudaEngine& engine) {
#if NV_TENSORRT_MAJOR > 10 || (NV_TENSORRT_MAJOR == 10 && NV_TENSORRT_MINOR >= 1)
  return static_cast<std::uint64_t>(engine.getDeviceMemorySizeV2());
#else
  return engine.getDeviceMemorySize();
#endif
}

/// Parsers of version 8 are ended by a call: where their destructor stands among the virtual functions changed between
/// the releases of 8.6, and a library of one called with the headers of another ends in a crash.
struct EndParser {
  void operator()(nvonnxparser::IParser* parser) const {
#if NV_TENSORRT_MAJOR == 8
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    parser->destroy();
#pragma GCC diagnostic pop
#else
    delete parser;
#endif
  }
};
using ParserPointer = std::unique_ptr<nvonnxparser::IParser, EndParser>;

/// What the parser refused, naming the node where the version tells it.
inline std::string describe(const nvonnxparser::IParserError& error) {
  std::string text = error.desc() != nullptr ? error.desc() : "";
#if NV_TENSORRT_MAJOR >= 10
  if (error.nodeName() != nullptr && error.nodeName()[0] != '\0') text = std::string(error.nodeName()) + ": " + text;
#endif
  return text;
}

}  // namespace nongemm::tensorrt
