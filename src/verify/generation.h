// Generated text against references of the original: the tokens, and the logits of every step.
#pragma once

#include <filesystem>
#include <vector>

#include "flows/flow.h"
#include "record/output_difference.h"
#include "spec/model_options.h"

namespace nongemm {

/// Whether a folder's outputs.safetensors are those of a greedy generation: `tokens` [batch, new] and `logits` [new,
/// batch, vocabulary].
bool holds_generation(const std::filesystem::path& folder);

/// As many tokens as the reference has, each the likeliest, by a folder's model after the prompts in its
/// inputs.safetensors: `input_ids` and perhaps `attention_mask` [batch, prompt], padding on the left. Tokens are exact
/// or wrong; when one is not the reference's, the logits of later steps are of another text.
/// Throws Error(kBadInput) for inputs that are not these.
/// @param replayable by the graphs that can be replayed, see GenerationPass
std::vector<OutputDifference> verify_generation(const std::filesystem::path& folder, Flow& flow, const RunOptions& run,
                                                ModelOptions options, CacheKind cache, bool replayable = false);

}  // namespace nongemm
