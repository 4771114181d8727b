// What a point's text generation starts from: how many samples of which lengths, and their tokens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/text/tokenizer.h"
#include "generate/generation.h"
#include "prepare/model.h"
#include "spec/run_spec.h"

namespace nongemm {

struct PromptRequest {
  GenerationPlan plan;
  /// How the graphs are called with a mask: kPadded where samples are of different lengths.
  Padding padding = Padding::kFull;
  std::vector<std::int64_t> lengths = {};  // tokens of each sample; empty where all have as many
  std::optional<Prompt> given = {};        // of --inputs
};

/// Throws Error(kUsage) for lengths that contradict one another, Error(kBadInput) naming the file for prompts that are
/// none.
PromptRequest prompt_request(const RunSpec& spec, const Model& model, data::Tokenizer* tokenizer);

struct ReadPrompt {
  Prompt prompt;
  std::string source;
};

/// Tokens from the request, from a text or drawn.
/// @param graph of the prompt's pass
ReadPrompt read_prompt(const RunSpec& spec, const Model& model, const Graph& graph, const PromptRequest& request);

}  // namespace nongemm
