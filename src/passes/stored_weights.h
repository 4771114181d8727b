// Weights of linear layers that were quantized before, as checkpoints hold them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

enum class StoredFormat : std::uint8_t {
  kBitsandbytes,  // `weight` int8 [out, in], `SCB` [out]: value times SCB / 127
  kInt8Rows,      // compressed-tensors: `weight` int8 [out, in], `weight_scale` [out, 1]
  kInt8Tensor,    // the same with one scale [1] for all
  kFp8Rows,       // compressed-tensors: `weight` e4m3 [out, in], `weight_scale` [out, 1]
  kFp8Tensor,     // the same with one scale [1] for all
  kPacked,        // compressed-tensors: `weight_packed` int32 [out, in / n], `weight_scale` [out, groups], moved up
  kGptq,          // `qweight` int32 [in / n, out], `qzeros` int32 [groups, out / n] less 1, `scales` [groups, out]
  kGptqV2,        // the same with zeros as they are
  kAwq,           // `qweight` int32 [in, out / 8], `qzeros` int32 [groups, out / 8], columns interleaved, `scales`
};

struct StoredWeights {
  std::string_view title;  // "GPTQ, 4 bits"
  StoredFormat format = StoredFormat::kBitsandbytes;
  QuantizeScheme scheme = QuantizeScheme::kNone;  // what computes with them
  std::int64_t bits = 8;
  std::int64_t group = 0;  // columns that share a scale; 0 for a whole row
  /// Modules that are not quantized, as QuantizeOptions::skip; names that the model lacks are no error.
  std::vector<std::string> skip = {};
  double threshold = 6.0;
  /// Beside a weight of kInt8* and kFp8*: `input_scale` [1], one step of the layer's input, found when it was
  /// quantized.
  bool input_scales = false;
};

/// The graph with the linear layers that such a checkpoint holds, as the operators of their scheme.
/// @param options the way, and a threshold where it is not the default; its scheme is none or the checkpoint's
/// @throws Error (kUsage) for another scheme, (kBadInput) for sizes that the format cannot hold
Graph use_stored(const Graph& graph, const StoredWeights& stored, QuantizeOptions options);

}  // namespace nongemm::passes
