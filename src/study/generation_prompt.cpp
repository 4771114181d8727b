#include "study/generation_prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/text/unicode.h"
#include "prepare/given_inputs.h"

namespace nongemm {
namespace {

constexpr std::int64_t kUsualPrompt = 128;

/// All of a short text, otherwise its beginning.
std::int64_t prompt_of_text(const RunSpec& spec, data::Tokenizer* tokenizer) {
  std::error_code ignored;
  constexpr std::size_t kShort = std::size_t{1} << 20;
  if (tokenizer == nullptr || !std::filesystem::is_regular_file(spec.data, ignored)) return kUsualPrompt;
  if (std::filesystem::file_size(spec.data, ignored) > kShort) return kUsualPrompt;
  std::size_t replaced = 0;
  const auto tokens = tokenizer->encode(data::sanitize_utf8(read_file(spec.data, kShort), replaced)).size();
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(tokens), 1, kUsualPrompt);
}

/// What stands where a sample has no token: the model's own padding, where its vocabulary has it.
std::int64_t padding_token(const Model& model, const Graph& graph) {
  const std::int64_t token = model.config.integer("pad_token_id", 0);
  return token >= 0 && token < graph.inputs.at(0).kind.limit ? token : 0;
}

void take_given(const RunSpec& spec, const Model& model, PromptRequest& request) {
  request.given = prompt_of(read_inputs(model, spec.inputs, spec.options).tensors, spec.inputs);
  request.plan.batch = request.given->ids.shape.at(0);
  request.plan.prompt = request.given->ids.shape.at(1);
  if (request.plan.batch < 1) throw Error(ErrorKind::kBadInput, spec.inputs + ": input_ids hold no sample");
  request.plan.least_padding = least_padding(*request.given);
  // Without a mask generate() makes one of ones.
  if (request.given->mask.data != nullptr) request.padding = padding_of_prompt(*request.given);
}

}  // namespace

PromptRequest prompt_request(const RunSpec& spec, const Model& model, data::Tokenizer* tokenizer) {
  const GenerateRequest& wanted = spec.generate;
  PromptRequest request;
  request.plan = {.batch = spec.options.batch,
                  .prompt = wanted.prompt.value_or(spec.data.empty() ? kUsualPrompt : prompt_of_text(spec, tokenizer)),
                  .tokens = wanted.tokens,
                  .cache = wanted.cache.value_or(spec.replay ? CacheKind::kStatic : CacheKind::kDynamic),
                  .sampling = wanted.sampling,
                  .replayable = spec.replay};
  request.padding = spec.options.padding;
  if (!spec.inputs.empty()) {
    take_given(spec, model, request);
    return request;
  }
  const std::int64_t shortest = wanted.shortest_prompt.value_or(request.plan.prompt);
  if (shortest > request.plan.prompt) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--shortest-prompt {} is longer than a prompt of {}", shortest, request.plan.prompt),
                "--prompt is the length of the longest one: give a longer one there, or a shorter one here");
  }
  if (shortest == request.plan.prompt || request.plan.batch == 1) return request;
  request.lengths = spread_lengths(request.plan.batch, request.plan.prompt, shortest);
  request.padding = Padding::kPadded;
  return request;
}

ReadPrompt read_prompt(const RunSpec& spec, const Model& model, const Graph& graph, const PromptRequest& request) {
  if (request.given) {
    check_token_ids(graph, *request.given);
    return {.prompt = *request.given, .source = spec.inputs};
  }
  Graph only_ids = graph;
  only_ids.inputs.resize(1);
  std::optional<DataBatch> data;
  if (!spec.data.empty()) {
    ModelOptions options = spec.options;
    options.sequence = request.plan.prompt;
    data = read_data(model, spec.data, spec.weights, options);
    std::erase_if(data->tensors, [](const auto& tensor) { return tensor.first != "input_ids"; });
  }
  PreparedInputs inputs = prepare_inputs(only_ids, data ? &*data : nullptr, spec.runtime.seed);
  HostTensor& ids = inputs.tensors.front();
  if (request.lengths.empty()) return {.prompt = {.ids = std::move(ids), .mask = {}}, .source = inputs.source};
  return {.prompt = padded_prompt(ids, request.lengths, padding_token(model, graph)), .source = inputs.source};
}

}  // namespace nongemm
