#include "generate/prompt.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "prepare/prepare.h"

namespace nongemm {
namespace {

HostTensor as_integers(const std::string& name, const HostTensor& tensor) {
  if (tensor.shape.size() != 2) {
    throw Error(ErrorKind::kBadInput, "'" + name + "' is of shape " + to_string(tensor.shape),
                "a prompt is [batch, tokens]");
  }
  return in_dtype(name, tensor, DType::kInt64);
}

}  // namespace

Prompt prompt_of(const NamedTensors& tensors, const std::string& source) {
  Prompt prompt;
  for (const auto& [name, tensor] : tensors) {
    if (name == "input_ids") {
      prompt.ids = as_integers(name, tensor);
    } else if (name == "attention_mask") {
      prompt.mask = as_integers(name, tensor);
    } else {
      throw Error(ErrorKind::kBadInput, source + " holds '" + name + "'",
                  "a generation starts from input_ids and attention_mask");
    }
  }
  if (prompt.ids.data == nullptr) throw Error(ErrorKind::kBadInput, source + " lacks 'input_ids'");
  check_prompt(prompt);
  return prompt;
}

void check_prompt(const Prompt& prompt) {
  if (prompt.mask.data == nullptr) return;
  if (prompt.mask.shape != prompt.ids.shape) {
    throw Error(ErrorKind::kBadInput, "attention_mask is of shape " + to_string(prompt.mask.shape),
                "input_ids are " + to_string(prompt.ids.shape));
  }
  const std::int64_t tokens = prompt.mask.shape.at(1);
  for (std::int64_t row = 0; row < prompt.mask.shape[0]; ++row) {
    const std::int64_t* mask = prompt.mask.as<std::int64_t>() + row * tokens;
    const std::string sample = "sample " + std::to_string(row) + " of attention_mask ";
    if (std::any_of(mask, mask + tokens, [](std::int64_t value) { return value != 0 && value != 1; })) {
      throw Error(ErrorKind::kBadInput, sample + "has values other than 0 and 1");
    }
    if (!std::is_sorted(mask, mask + tokens)) {
      throw Error(ErrorKind::kBadInput, sample + "has padding behind tokens",
                  "what is generated follows the last token: put padding on the left");
    }
    if (tokens == 0 || mask[tokens - 1] == 0) throw Error(ErrorKind::kBadInput, sample + "has no token");
  }
}

Padding padding_of_prompt(const Prompt& prompt) {
  if (prompt.mask.data == nullptr) return Padding::kNone;
  const std::int64_t* mask = prompt.mask.as<std::int64_t>();
  const std::int64_t* end = mask + element_count(prompt.mask.shape);
  return std::find(mask, end, 0) == end ? Padding::kFull : Padding::kPadded;
}

void check_token_ids(const Graph& graph, const Prompt& prompt) {
  const std::int64_t limit = graph.inputs.at(0).kind.limit;
  const std::int64_t* ids = prompt.ids.as<std::int64_t>();
  for (std::int64_t i = 0; i < element_count(prompt.ids.shape); ++i) {
    if (ids[i] >= 0 && ids[i] < limit) continue;
    throw Error(ErrorKind::kBadInput, "input_ids hold " + std::to_string(ids[i]),
                "the model's vocabulary has " + std::to_string(limit) + " tokens");
  }
}

std::vector<std::int64_t> spread_lengths(std::int64_t batch, std::int64_t longest, std::int64_t shortest) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t row = 0; row < batch; ++row) {
    lengths.push_back(batch == 1 ? longest : longest - (longest - shortest) * row / (batch - 1));
  }
  return lengths;
}

Prompt padded_prompt(const HostTensor& ids, const std::vector<std::int64_t>& lengths, std::int64_t padding) {
  auto [padded, id_bytes] = HostTensor::allocate(DType::kInt64, ids.shape);
  auto [mask, mask_bytes] = HostTensor::allocate(DType::kInt64, ids.shape);
  auto* id_out = reinterpret_cast<std::int64_t*>(id_bytes);
  auto* mask_out = reinterpret_cast<std::int64_t*>(mask_bytes);
  const std::int64_t tokens = ids.shape.at(1);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    const std::int64_t begin = static_cast<std::int64_t>(row) * tokens;
    const std::int64_t empty = tokens - lengths[row];
    std::fill_n(id_out + begin, empty, padding);
    std::copy_n(ids.as<std::int64_t>() + begin, lengths[row], id_out + begin + empty);
    std::fill_n(mask_out + begin, empty, 0);
    std::fill_n(mask_out + begin + empty, lengths[row], 1);
  }
  return {.ids = std::move(padded), .mask = std::move(mask)};
}

namespace {

/// Of each sample.
std::vector<std::int64_t> paddings(const Prompt& prompt) {
  if (prompt.mask.data == nullptr) return {0};
  const std::int64_t tokens = prompt.mask.shape.at(1);
  std::vector<std::int64_t> counts;
  for (std::int64_t row = 0; row < prompt.mask.shape.at(0); ++row) {
    const std::int64_t* mask = prompt.mask.as<std::int64_t>() + row * tokens;
    counts.push_back(std::count(mask, mask + tokens, 0));
  }
  return counts;
}

}  // namespace

std::int64_t padding_count(const Prompt& prompt) {
  const std::vector<std::int64_t> counts = paddings(prompt);
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::int64_t least_padding(const Prompt& prompt) {
  const std::vector<std::int64_t> counts = paddings(prompt);
  return counts.empty() ? 0 : *std::min_element(counts.begin(), counts.end());
}

}  // namespace nongemm
