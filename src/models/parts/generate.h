// The passes of a text generation around a decoder's forward: what they take, and how the next token comes of the
// logits (transformers' GenerationMixin._sample). The token, the padding mask and the positions are state from pass to
// pass (graph/state.h), so that the host has nothing to give but the prompt.
#pragma once

#include <cstdint>

#include "models/config.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

struct PassInputs {
  Tensor ids;        // [batch, tokens] int64
  Tensor mask;       // [batch, tokens so far] int64, [batch, the longest] of a static cache; None without
  Tensor positions;  // [batch, tokens] int64, where samples are padded; None where the model counts them
};

/// Throws Error(kUsage) for a prompt and tokens that do not fit into the model's positions.
/// @param positions as `key` of the configuration has them; 0: they have no end
PassInputs pass_inputs(Builder& builder, const Config& config, const ModelOptions& options, std::int64_t vocabulary,
                       std::int64_t positions, std::string_view key);

/// Only the last token's, [batch, 1, width]: logits_to_keep=1.
Tensor last_token(const Tensor& x);

/// The outputs of a pass: `logits` [batch, vocabulary] in fp32, and the states of the next.
/// @param logits [batch, 1, vocabulary]
void finish_pass(Builder& builder, const ModelOptions& options, const PassInputs& inputs, const Tensor& logits);

}  // namespace nongemm
