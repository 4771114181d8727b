#include "verify/perplexity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/half.h"
#include "base/interrupt.h"
#include "base/parallel.h"

namespace nongemm {
namespace {

/// log of the sum of e^x, less x[target]: the target's loss.
double loss_of(const HostTensor& logits, std::size_t row, std::int64_t target) {
  const auto width = static_cast<std::size_t>(logits.shape.back());
  std::vector<float> values(width);
  convert_floating(logits.dtype, logits.data.get() + row * width * size_of(logits.dtype), DType::kFloat32,
                   reinterpret_cast<std::byte*>(values.data()), width);
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const float value : values) sum += std::exp(value - largest);
  return largest + std::log(sum) - values[static_cast<std::size_t>(target)];
}

/// By name; the graph's length where it has none.
std::size_t position_of(const Graph& graph, const char* input) {
  const auto at =
      std::find_if(graph.inputs.begin(), graph.inputs.end(), [&](const Input& known) { return known.name == input; });
  return static_cast<std::size_t>(at - graph.inputs.begin());
}

/// The position of logits [batch, tokens, vocabulary] among the outputs; nothing where there are none.
std::optional<std::size_t> logits_of(const Graph& graph, const Input& ids) {
  const Shape& text = graph.values[ids.value].type.shape;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const Shape& shape = graph.values[graph.outputs[i].value].type.shape;
    const bool of_tokens = shape.size() == 3 && text.size() == 2 && shape[0] == text[0] && shape[1] == text[1];
    if (graph.outputs[i].name == "logits" && of_tokens && shape[2] >= ids.kind.limit) return i;
  }
  return std::nullopt;
}

}  // namespace

void TokenLosses::add(const HostTensor& logits, const HostTensor& ids, const std::vector<data::Sample>& samples) {
  const std::int64_t length = ids.shape.at(1);
  const auto* tokens = ids.as<std::int64_t>();
  std::vector<std::size_t> targets;  // positions in ids; the logits before each say what they expect
  for (std::size_t s = 0; s < samples.size(); ++s) {
    for (std::int64_t at = std::max<std::int64_t>(samples[s].first_token, 1); at < samples[s].end_token; ++at) {
      targets.push_back(s * static_cast<std::size_t>(length) + static_cast<std::size_t>(at));
    }
  }
  std::vector<double> losses(targets.size());
  parallel_for(targets.size(), 0,
               [&](std::size_t i) { losses[i] = loss_of(logits, targets[i] - 1, tokens[targets[i]]); });
  for (const double loss : losses) loss_ += loss;
  tokens_ += static_cast<std::int64_t>(losses.size());
}

std::optional<Perplexity> TokenLosses::perplexity() const {
  if (tokens_ == 0) return std::nullopt;
  return Perplexity{std::exp(loss_ / static_cast<double>(tokens_)), tokens_};
}

std::optional<Perplexity> perplexity_of_text(const Model& model, const Graph& graph, Session& session,
                                             const std::string& text, const std::string& weights_folder,
                                             const ModelOptions& options, std::int64_t most_tokens) {
  if (model.architecture == nullptr || !model.architecture->generates) return std::nullopt;
  const std::size_t ids = position_of(graph, "input_ids");
  if (ids == graph.inputs.size()) return std::nullopt;
  const std::optional<std::size_t> logits = logits_of(graph, graph.inputs[ids]);
  if (!logits) return std::nullopt;
  const std::unique_ptr<data::Source> source = open_data(model, text, weights_folder, options);
  TokenLosses losses;
  while (losses.tokens() < most_tokens) {
    if (interrupted()) return std::nullopt;
    const DataBatch batch = next_batch(*source, options.batch);
    const auto is_new = [](const data::Sample& sample) { return sample.end_token > sample.first_token; };
    if (std::none_of(batch.samples.begin(), batch.samples.end(), is_new)) break;
    const PreparedInputs inputs = prepare_inputs(graph, &batch, /*seed=*/0);
    session.set_inputs(inputs.tensors);
    session.run();
    losses.add(session.output(*logits), inputs.tensors[ids], batch.samples);
    if (!is_new(batch.samples.back())) break;  // the text has ended
  }
  return losses.perplexity();
}

}  // namespace nongemm
