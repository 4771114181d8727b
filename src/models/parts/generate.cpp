#include "models/parts/generate.h"

#include <limits>
#include <string>

#include "base/error.h"
#include "graph/state.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

using namespace fn;

std::string past(const char* name) { return std::string(kPast) + name; }
std::string present(const char* name) { return std::string(kPresent) + name; }

void check_length(const Config& config, const ModelOptions& options, std::int64_t positions, std::string_view key) {
  const GenerationPass& pass = *options.pass;
  if (positions == 0 || pass.longest <= positions) return;
  throw Error(ErrorKind::kUsage,
              config.origin() + ": a prompt and new tokens of together " + std::to_string(pass.longest),
              "the model has " + std::to_string(positions) + " positions (" + std::string(key) +
                  "): give a shorter --prompt or fewer tokens to --generate");
}

/// `attention_mask.long().cumsum(-1) - 1`, and 0 where a sample is padded.
Tensor positions_of(Builder& b, const Tensor& mask, std::int64_t tokens) {
  const Tensor own = index_slice(mask, 1, 0, tokens);  // a static cache's is longer than the prompt
  const Tensor counted = sub(b.call("aten.cumsum.default", {own, -1}), 1);
  return b.call("aten.masked_fill.Scalar", {counted, b.call("aten.eq.Scalar", {own, 0}), 0});
}

/// Scores below the k-th largest fall out.
Tensor only_largest(Builder& b, const Tensor& scores, std::int64_t k) {
  const Tensor largest = b.call_all("aten.topk.default", {scores, std::min(k, scores.size(-1))})[0];
  const Tensor least = unsqueeze(select(largest, -1, -1), -1);
  const Tensor fallen = b.call("aten.lt.Tensor", {scores, least});
  return b.call("aten.masked_fill.Scalar", {scores, fallen, -std::numeric_limits<double>::infinity()});
}

/// The likeliest tokens that have the probability `p` together stay.
Tensor only_likeliest(Builder& b, const Tensor& scores, double p) {
  const std::vector<Tensor> sorted = b.call_all("aten.sort.default", {scores, -1, false});
  const Tensor sums = b.call("aten.cumsum.default", {softmax(sorted[0], -1), -1});
  const Tensor fallen = b.call("aten.le.Scalar", {sums, 1.0 - p});
  const Tensor rest = index_slice(fallen, 1, -1);  // the likeliest always stays
  b.call("aten.fill_.Scalar", {rest, 0});
  const Tensor by_token = b.call("aten.scatter.src", {fallen, 1, sorted[1], fallen});
  return b.call("aten.masked_fill.Scalar", {scores, by_token, -std::numeric_limits<double>::infinity()});
}

/// [batch, vocabulary] -> [batch]
Tensor next_token(Builder& b, Tensor scores, const Sampling& sampling) {
  if (!sampling.draws) return b.call("aten.argmax.default", {scores, -1});
  if (sampling.temperature) scores = div(scores, *sampling.temperature);
  if (sampling.top_k) scores = only_largest(b, scores, *sampling.top_k);
  if (sampling.top_p) scores = only_likeliest(b, scores, *sampling.top_p);
  const Tensor drawn = b.call("aten.multinomial.default", {softmax(scores, -1), 1});
  return b.call("aten.squeeze.dim", {drawn, 1});
}

/// A mask of ones grows with the cache; that of a static cache has been whole from the start.
void leave_mask(Builder& b, const ModelOptions& options, const Tensor& mask) {
  const GenerationPass& pass = *options.pass;
  if (pass.cache == CacheKind::kStatic) {
    if (pass.past == 0) b.output(present("attention_mask"), mask);
    return;
  }
  const Tensor one = b.call("aten.new_ones.default", {mask, Shape{options.batch, 1}});
  b.output(present("attention_mask"), cat({mask, one}, -1));
}

}  // namespace

PassInputs pass_inputs(Builder& b, const Config& config, const ModelOptions& options, std::int64_t vocabulary,
                       std::int64_t positions, std::string_view key) {
  check_length(config, options, positions, key);
  const GenerationPass& pass = *options.pass;
  const std::int64_t tokens = options.sequence.value_or(1);
  const bool is_static = pass.cache == CacheKind::kStatic;
  const bool first = pass.past == 0;
  PassInputs inputs;
  inputs.ids = b.input(first ? "input_ids" : past("token"), DType::kInt64, {options.batch, tokens},
                       {InputKind::Content::kTokens, vocabulary});
  // A static cache that is nowhere padded needs no mask: its own says which keys there are.
  const bool padded = options.padding == Padding::kPadded;
  if (padded || (options.padding == Padding::kFull && !is_static)) {
    const std::int64_t keys = is_static ? pass.longest : pass.past + tokens;
    inputs.mask = b.input(first ? "attention_mask" : past("attention_mask"), DType::kInt64, {options.batch, keys},
                          {InputKind::Content::kMask, 0});
  }
  if (!padded) return inputs;
  if (first) {
    const auto scope = b.scope("generate", "GenerationMixin");
    inputs.positions = positions_of(b, inputs.mask, tokens);
  } else {
    inputs.positions = b.input(past("position_ids"), DType::kInt64, {options.batch, tokens}, {});
  }
  return inputs;
}

Tensor last_token(const Tensor& x) { return slice(x, 1, -1, kToEnd); }

void finish_pass(Builder& b, const ModelOptions& options, const PassInputs& inputs, const Tensor& logits) {
  const auto scope = b.scope("generate", "GenerationMixin");
  if (inputs.mask) leave_mask(b, options, inputs.mask);
  if (inputs.positions) {
    const Tensor last = index_slice(inputs.positions, 1, inputs.positions.size(1) - 1);
    b.output(present("position_ids"), add(last, 1));
  }
  const Tensor last = select(logits, 1, -1);
  const Tensor scores = b.call("aten.to.device", {last, kNone, DType::kFloat32, false, true});  // always a copy
  b.output("logits", scores);
  b.output(present("token"), unsqueeze(next_token(b, scores, options.pass->sampling), 1));
}

}  // namespace nongemm
