#include "verify/generation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/elements.h"
#include "base/error.h"
#include "generate/generation.h"
#include "prepare/prepare.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

Prompt read_prompt(const std::filesystem::path& path) {
  return prompt_of(weights::read_safetensors(path), path.string());
}

/// The texts that are generated, and what every step says of all tokens.
struct Generated {
  HostTensor tokens, logits;
};

Generated generate(GenerationSessions& sessions, const GenerationPlan& plan, const Shape& logits_shape) {
  auto [tokens, token_bytes] = HostTensor::allocate(DType::kInt64, {plan.batch, plan.tokens});
  auto [logits, logit_bytes] = HostTensor::allocate(DType::kFloat32, logits_shape);
  const std::size_t of_a_step = logits.byte_size() / static_cast<std::size_t>(plan.tokens);
  auto* token_out = reinterpret_cast<std::int64_t*>(token_bytes);
  for (std::int64_t i = 0; i < plan.tokens; ++i) {
    Session& session = i == 0 ? sessions.prompt() : sessions.step(i);
    session.run_on();
    const HostTensor token = sessions.token(session);
    const HostTensor said = sessions.logits(session);
    for (std::int64_t row = 0; row < plan.batch; ++row)
      token_out[row * plan.tokens + i] = token.as<std::int64_t>()[row];
    if (said.byte_size() != of_a_step) {
      throw Error(ErrorKind::kBadInput, "the model's logits are of shape " + to_string(said.shape),
                  "the reference has " + to_string(logits_shape) + " for all steps");
    }
    std::memcpy(logit_bytes + static_cast<std::size_t>(i) * of_a_step, said.data.get(), of_a_step);
  }
  return {tokens, logits};
}

}  // namespace

bool holds_generation(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "outputs.safetensors";
  if (!std::filesystem::exists(file) || !std::filesystem::exists(folder / "config.json")) return false;
  const NamedTensors outputs = weights::read_safetensors(file);
  const HostTensor* tokens = find_tensor(outputs, "tokens");
  const HostTensor* logits = find_tensor(outputs, "logits");
  return tokens != nullptr && logits != nullptr && !is_floating(tokens->dtype);
}

std::vector<OutputDifference> verify_generation(const std::filesystem::path& folder, Flow& flow, const RunOptions& run,
                                                ModelOptions options, CacheKind cache, bool replayable) {
  const NamedTensors references = weights::read_safetensors(folder / "outputs.safetensors");
  const HostTensor& tokens = *find_tensor(references, "tokens");
  const HostTensor& logits = *find_tensor(references, "logits");
  const Prompt prompt = read_prompt(folder / "inputs.safetensors");
  const bool fits = tokens.shape.size() == 2 && logits.shape.size() == 3 && tokens.shape[0] == prompt.ids.shape[0] &&
                    logits.shape[0] == tokens.shape[1] && logits.shape[1] == tokens.shape[0];
  if (!fits) {
    throw Error(ErrorKind::kBadInput,
                folder.string() + ": tokens " + to_string(tokens.shape) + " and logits " + to_string(logits.shape) +
                    " do not fit prompts " + to_string(prompt.ids.shape),
                "tokens are [batch, new], logits [new, batch, vocabulary]");
  }
  const GenerationPlan plan = {.batch = prompt.ids.shape[0],
                               .prompt = prompt.ids.shape[1],
                               .tokens = tokens.shape[1],
                               .least_padding = least_padding(prompt),
                               .cache = cache,
                               .replayable = replayable};
  Model model = find_model(folder.string());
  options.device = run.device.kind;
  options.attention = attention_of(model, options.attention);
  options.padding = padding_of_prompt(prompt);
  options.sequence_from_inputs = true;
  if (options.quantize.scheme != QuantizeScheme::kNone) options.dtype = dtype_of_folder(model);
  GenerationGraphs graphs(std::move(model), options, plan, run.place);
  const PreparedWeights weights = prepare_weights(graphs.model(), *graphs.prompt(), folder.string());
  check_token_ids(*graphs.prompt(), prompt);
  GenerationSessions sessions(graphs, flow, weights.tensors, run);
  sessions.begin(prompt);
  const Generated ours = generate(sessions, plan, logits.shape);
  return {difference_of("tokens", tokens, &ours.tokens), difference_of("logits", logits, &ours.logits)};
}

}  // namespace nongemm
