// What a generation starts from: the tokens of a batch, shorter samples with padding on the left, as transformers'
// generate() takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "spec/model_options.h"

namespace nongemm {

/// Of a batch.
struct Prompt {
  HostTensor ids;   // [batch, prompt] int64
  HostTensor mask;  // [batch, prompt] int64, zeros on the left; without data: nothing is padded
};

/// The tensors `input_ids` and `attention_mask`, of whatever integers or truth values.
/// @param source what holds them, for messages
/// Throws Error(kBadInput) for other names and for what check_prompt() refuses.
Prompt prompt_of(const NamedTensors& tensors, const std::string& source);

/// Throws Error(kBadInput) for a mask of another shape, one that is not 0 and 1, padding behind tokens, or a sample
/// without any token.
void check_prompt(const Prompt& prompt);
/// kPadded where any sample is, kFull with a mask of ones, kNone without one.
Padding padding_of_prompt(const Prompt& prompt);
/// Throws Error(kBadInput) for an id that the model's vocabulary does not have.
void check_token_ids(const Graph& graph, const Prompt& prompt);

/// Tokens of each sample: the first has all, the last the fewest, those between evenly spread.
std::vector<std::int64_t> spread_lengths(std::int64_t batch, std::int64_t longest, std::int64_t shortest);
/// Keeps of each sample's tokens the first `lengths`, behind padding.
/// @param padding the token that stands where there is none; nothing of it is seen
Prompt padded_prompt(const HostTensor& ids, const std::vector<std::int64_t>& lengths, std::int64_t padding);
/// Of the prompts' tokens, those that are padding.
std::int64_t padding_count(const Prompt& prompt);
/// The same of the sample with the fewest.
std::int64_t least_padding(const Prompt& prompt);

}  // namespace nongemm
