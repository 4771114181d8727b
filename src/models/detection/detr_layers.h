// The transformer of DETR and of the models that copied it (MaskFormer): encoder and decoder layers whose attention
// adds position embeddings to queries and keys.
#pragma once

#include <string>

#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

struct DetrTransformer {
  /// "Detr" or "MaskFormerDetr": the prefix of the original's class names.
  std::string prefix = "Detr";
  std::int64_t width = 256;
  std::string activation = "relu";
  Attention attention = Attention::kDefault;
  /// Every decoder layer's result passes the final normalization on its way (auxiliary_loss).
  bool normalise_each = false;
};

struct DetrStack {
  std::int64_t layers = 6;
  std::int64_t heads = 8;
  std::int64_t inner = 2048;
};

/// torch.nn.Linear with the weights of module `name`.
Tensor detr_linear(Builder& builder, const std::string& name, const Tensor& x, std::int64_t out);

/// The layers of an encoder, in scope. x, positions: [batch, cells, width]; mask as bidirectional_mask makes it, or
/// None.
Tensor detr_encoder_layers(Builder& builder, const DetrTransformer& model, const DetrStack& stack, Tensor x,
                           const Tensor& positions, const Tensor& mask);

/// The layers of a decoder and its final normalization, in scope.
/// x, query_positions: [batch, queries, width]; memory, memory_positions: [batch, cells, width]
Tensor detr_decoder_layers(Builder& builder, const DetrTransformer& model, const DetrStack& stack, Tensor x,
                           const Tensor& query_positions, const Tensor& memory, const Tensor& memory_positions,
                           const Tensor& memory_mask);

/// The operators of DETR's sine position embedding (build_sine_position_embedding, normalised), in scope.
/// mask: [batch, height, width] bool. Returns [batch, 2 * features, height, width].
Tensor detr_sine_positions(Builder& builder, const Tensor& mask, std::int64_t features, DType dtype);

/// A perceptron of three linear layers `layers.N` with ReLU between them, in scope (DetrMLPPredictionHead).
Tensor detr_mlp_head(Builder& builder, Tensor x, std::int64_t width, std::int64_t out);

}  // namespace nongemm
