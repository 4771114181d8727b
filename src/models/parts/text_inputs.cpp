#include "models/parts/text_inputs.h"

#include "base/error.h"

namespace nongemm {

std::int64_t checked_tokens(const Config& config, const ModelOptions& options, std::int64_t positions,
                            std::string_view key) {
  const std::int64_t tokens = options.sequence.value_or(positions);
  if (tokens >= 1 && tokens <= positions) return tokens;
  throw Error(ErrorKind::kUsage, config.origin() + ": a sequence of " + std::to_string(tokens) + " tokens",
              "the model has " + std::to_string(positions) + " positions (" + std::string(key) + ")");
}

TextInputs text_inputs(Builder& b, const ModelOptions& options, std::int64_t tokens, std::int64_t vocabulary,
                       std::int64_t types) {
  const Shape shape = {options.batch, tokens};
  TextInputs inputs;
  inputs.ids = b.input("input_ids", DType::kInt64, shape, {InputKind::Content::kTokens, vocabulary});
  if (options.padding != Padding::kNone) {
    inputs.mask = b.input("attention_mask", DType::kInt64, shape, {InputKind::Content::kMask, 0});
  }
  for (const std::string& name : options.extra_inputs) {
    if (name != "token_type_ids") {
      throw Error(ErrorKind::kBadInput, "language models take no input '" + name + "' of this shape",
                  "they take input_ids, attention_mask and token_type_ids, each of shape [batch, tokens]");
    }
    inputs.token_type_ids = b.input(name, DType::kInt64, shape, {InputKind::Content::kTokens, types});
  }
  return inputs;
}

}  // namespace nongemm
