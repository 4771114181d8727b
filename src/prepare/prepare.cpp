#include "prepare/prepare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/elements.h"
#include "base/error.h"
#include "base/host_memory.h"
#include "data/synthetic/synthetic_inputs.h"
#include "ops/memory.h"
#include "ops/rules.h"
#include "prepare/outlier_columns.h"
#include "weights/binding.h"
#include "weights/checkpoint.h"

namespace nongemm {

namespace {

std::vector<HostTensor> synthetic_inputs(const Graph& graph, std::uint64_t seed) {
  using data::SyntheticKind;
  std::vector<data::SyntheticInput> wanted;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    data::SyntheticInput row{input.name, type.dtype, type.shape, SyntheticKind::kNormalPixels, input.kind.limit};
    switch (input.kind.content) {
      case InputKind::Content::kTokens:
        row.kind = SyntheticKind::kTokenIds;
        break;
      case InputKind::Content::kMask:
        row.kind = SyntheticKind::kOnes;
        break;
      case InputKind::Content::kImage:
        row.kind = SyntheticKind::kUniformPixels;
        break;
      case InputKind::Content::kPixels:
        break;
      case InputKind::Content::kOther:
        row.kind = SyntheticKind::kZeros;
        break;
    }
    wanted.push_back(std::move(row));
  }
  std::vector<HostTensor> tensors;
  for (auto& [name, tensor] : data::make_synthetic_inputs(wanted, seed)) tensors.push_back(std::move(tensor));
  return tensors;
}

/// A tokenizer may be another model's: on a GPU an id beyond the embedding ends the process.
void check_token_ids(const Input& input, const HostTensor& tensor) {
  if (input.kind.content != InputKind::Content::kTokens || tensor.dtype != DType::kInt64) return;
  const auto* ids = tensor.as<std::int64_t>();
  const auto [smallest, largest] = std::minmax_element(ids, ids + element_count(tensor.shape));
  if (input.kind.limit <= 0 || (*smallest >= 0 && *largest < input.kind.limit)) return;
  throw Error(ErrorKind::kBadInput,
              fmt::format("data for input '{}' holds token {}, the model knows {} tokens", input.name,
                          *smallest < 0 ? *smallest : *largest, input.kind.limit),
              "Text from --data wants the model's own tokenizer: give its checkpoint folder with --weights.");
}

void check_names(const Graph& graph, const DataBatch& data) {
  for (const auto& [name, tensor] : data.tensors) {
    const bool known = std::any_of(graph.inputs.begin(), graph.inputs.end(),
                                   [&wanted = name](const Input& input) { return input.name == wanted; });
    if (known) continue;
    std::string names;
    for (const Input& input : graph.inputs) names += (names.empty() ? "" : ", ") + input.name;
    throw Error(ErrorKind::kBadInput, fmt::format("{}: '{}' is no input of the model", data.source, name),
                "its inputs are " + names);
  }
}

/// Tokens of a sample when nothing is asked for.
std::int64_t usual_tokens(const Model& model) {
  if (model.row != nullptr && model.row->sequence > 0) return model.row->sequence;
  constexpr std::int64_t kUsual = 128;
  const char* key = model.config.has("n_positions") ? "n_positions" : "max_position_embeddings";
  return std::min(kUsual, model.config.positive(key, kUsual));
}

/// With the class that is built, since checkpoints may be another one's.
std::string name_with_class(const Model& model) {
  if (model.architecture == nullptr || model.architecture->original.empty()) return model.name;
  return fmt::format("{} ({})", model.name, built_class(*model.architecture, model.config));
}

/// Of an error with its way out.
std::string in_one_line(const std::string& text) {
  const std::size_t end = text.find('\n');
  const std::size_t rest = text.find_first_not_of(" \n", end);
  if (end == std::string::npos || rest == std::string::npos) return text.substr(0, end);
  return text.substr(0, end) + "; " + text.substr(rest);
}

}  // namespace

HostTensor in_dtype(const std::string& name, const HostTensor& tensor, DType dtype) {
  // Whole numbers may be given in another width, fractions in another precision; what is one is not the other.
  if (is_floating(tensor.dtype) != is_floating(dtype) || is_complex(tensor.dtype) != is_complex(dtype) ||
      (dtype == DType::kBool && tensor.dtype != dtype)) {
    throw Error(ErrorKind::kBadInput, fmt::format("data for input '{}' is of type {}, the model takes {}", name,
                                                  name_of(tensor.dtype), name_of(dtype)));
  }
  return converted(tensor, dtype);
}

std::unique_ptr<data::Source> open_data(const Model& model, const std::string& path, const std::string& weights_folder,
                                        const ModelOptions& options) {
  if (model.architecture == nullptr) {
    throw Error(ErrorKind::kUnsupported, model.name + ": nothing says how images or text become inputs of a model file",
                "give prepared tensors: --inputs FILE.safetensors");
  }
  data::InputRequest request;
  // A folder may be called anything; only registry names say how a model's inputs are prepared.
  if (model.row != nullptr) request.names.push_back(model.name);
  request.names.emplace_back(model.architecture->model_type);
  request.folder = !weights_folder.empty() ? weights_folder : model.folder;
  request.sequence = options.sequence.value_or(usual_tokens(model));
  if (options.height) {
    request.image_size = static_cast<int>(*options.height);
  } else if (model.architecture->domain == Domain::kImageClassification && model.config.has("image_size")) {
    request.image_size = static_cast<int>(model.config.positive("image_size"));
  }
  return data::open_data(path, data::make_input_spec(request));
}

DataBatch next_batch(data::Source& source, std::int64_t batch_size) {
  data::Batch batch = source.next_batch(static_cast<int>(batch_size));
  DataBatch result;
  result.tensors = std::move(batch.inputs);
  result.source = source.description();
  const data::SourceCounts& counts = source.counts();
  if (counts.skipped > 0) {
    result.source += fmt::format(", {} skipped ({})", counts.skipped, in_one_line(counts.first_skipped_reason));
  }
  if (counts.missing > 0) result.source += fmt::format(", {} missing", counts.missing);
  if (counts.replaced_bytes > 0) result.source += fmt::format(", {} bytes of invalid UTF-8", counts.replaced_bytes);
  for (const data::Sample& sample : batch.samples) result.preprocessing += sample.times;
  result.samples = std::move(batch.samples);
  return result;
}

DataBatch read_data(const Model& model, const std::string& path, const std::string& weights_folder,
                    const ModelOptions& options) {
  return next_batch(*open_data(model, path, weights_folder, options), options.batch);
}

PreparedInputs prepare_inputs(const Graph& graph, const DataBatch* data, std::uint64_t seed) {
  PreparedInputs inputs;
  inputs.tensors = synthetic_inputs(graph, seed);
  inputs.source = data != nullptr ? data->source : fmt::format("synthetic, seed {}", seed);
  if (data == nullptr) return inputs;
  if (data->named) check_names(graph, *data);
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    bool found = false;
    const Type& type = graph.values[graph.inputs[i].value].type;
    for (const auto& [name, tensor] : data->tensors) {
      if (name != graph.inputs[i].name) continue;
      found = true;
      if (tensor.shape != type.shape) {
        throw Error(ErrorKind::kBadInput, fmt::format("data for input '{}' has shape {}, the model takes {}", name,
                                                      to_string(tensor.shape), to_string(type.shape)));
      }
      inputs.tensors[i] = in_dtype(name, tensor, type.dtype);
      check_token_ids(graph.inputs[i], inputs.tensors[i]);
    }
    if (!found) inputs.source += fmt::format("; {}: synthetic, seed {}", graph.inputs[i].name, seed);
  }
  return inputs;
}

PreparedWeights prepare_weights(const Model& model, const Graph& graph, const std::string& checkpoint,
                                std::uint64_t seed) {
  PreparedWeights weights;
  std::string path = checkpoint;
  if (path.empty() && model.file != nullptr) {
    weights.tensors = model.file->weights(graph.stored());
    weights.source = "the model's file";
    return weights;
  }
  const bool own_folder = path.empty() && !model.folder.empty();
  if (own_folder && weights::holds_checkpoint(model.folder)) path = model.folder;
  if (path.empty()) {
    weights.tensors.resize(graph.stored_weights().size());
    weights.source = fmt::format("synthetic, seed {}{}", seed, own_folder ? " (no checkpoint in the folder)" : "");
    return weights;
  }
  if (has_outlier_columns(graph)) {
    throw Error(ErrorKind::kUsage, "--outlier-columns has no effect: the weights are those of " + path, "leave it out");
  }
  const weights::Checkpoint opened = weights::open_checkpoint(path);
  weights::BoundWeights bound = weights::bind_weights(weights::weight_specs(graph.stored()),
                                                      graph.stored().checkpoint_rules, opened, name_with_class(model));
  for (auto& [name, tensor] : bound.tensors) weights.tensors.push_back(std::move(tensor));
  weights.source = path;
  return weights;
}

void check_host_memory(const Graph& graph, const PreparedWeights& weights) {
  // What a checkpoint gave is there already: mapped, which takes no memory of its own, or allocated when it was read.
  double drawn = 0;
  for (std::size_t i = 0; i < weights.tensors.size(); ++i) {
    if (weights.tensors[i].data) continue;
    drawn += rules::bytes_of(graph.stored().values[graph.stored_weights()[i].value].type);
  }
  const double activations = estimate_memory(graph).activations;
  require_memory(fmt::format("running ({:.1f} GB weights, {:.1f} GB activations)", drawn * 1e-9, activations * 1e-9),
                 drawn + activations, "use --dtype bf16, a smaller --batch or a shorter --seq-len");
}

}  // namespace nongemm
