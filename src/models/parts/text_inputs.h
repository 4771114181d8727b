// What language models take: token ids, an optional padding mask, and a few inputs of their own.
#pragma once

#include <initializer_list>
#include <string_view>

#include "models/config.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// Tokens per sample, `positions` when the options leave it open.
/// Throws Error(kUsage) when there are more than the model's positions, naming `key`.
std::int64_t checked_tokens(const Config& config, const ModelOptions& options, std::int64_t positions,
                            std::string_view key);

struct TextInputs {
  Tensor ids;             // [batch, tokens] int64
  Tensor mask;            // [batch, tokens] int64, None without padding mask
  Tensor token_type_ids;  // [batch, tokens] int64, None when the caller has none
};

/// @param vocabulary, types limits of token and type ids
/// Throws Error(kUnsupported) for options.extra_inputs other than "token_type_ids".
TextInputs text_inputs(Builder& b, const ModelOptions& options, std::int64_t tokens, std::int64_t vocabulary,
                       std::int64_t types);

}  // namespace nongemm
