#include "verify/compare_outputs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

#include "base/elements.h"
#include "base/error.h"
#include "prepare/given_inputs.h"
#include "prepare/prepare.h"
#include "verify/detection_order.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

/// Where a model's reference data lies.
struct Reference {
  std::filesystem::path model;
  std::filesystem::path inputs;
  std::filesystem::path outputs;
};

Reference find_reference(const std::filesystem::path& path) {
  if (!is_model_file(path)) {
    std::filesystem::path model = path;
    for (const char* file : {"model.pt2", "model.onnx"}) {
      if (std::filesystem::exists(path / file)) model = path / file;
    }
    return {model, path / "inputs.safetensors", path / "outputs.safetensors"};
  }
  std::filesystem::path beside = path;
  if (beside.replace_extension(".inputs.safetensors"); std::filesystem::exists(beside)) {
    std::filesystem::path outputs = path;
    return {path, beside, outputs.replace_extension(".outputs.safetensors")};
  }
  return {path, path.parent_path() / "inputs.safetensors", path.parent_path() / "outputs.safetensors"};
}

NamedTensors outputs_of(Flow& flow, const Graph& graph, const std::vector<HostTensor>& weights,
                        const std::vector<HostTensor>& inputs, const RunOptions& run) {
  const std::unique_ptr<Session> session = flow.prepare(graph, weights, run);
  session->set_inputs(inputs);
  session->run();
  NamedTensors outputs;
  for (const HostTensor& tensor : session->outputs()) {
    outputs.emplace_back(graph.outputs[outputs.size()].name, tensor);
  }
  return outputs;
}

Padding padding_of(const HostTensor& mask) {
  const auto count = static_cast<std::size_t>(element_count(mask.shape));
  for (std::size_t i = 0; i < count; ++i) {
    if (element(mask, i) == 0.0) return Padding::kPadded;
  }
  return Padding::kFull;
}

/// "0.3": the third image of a list.
bool is_listed_image(const std::string& name) {
  return name.find('.') != std::string::npos && name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

OutputDifference difference_of(const std::string& name, const HostTensor& reference, const HostTensor* ours) {
  OutputDifference row{.name = name, .shape = reference.shape, .mismatch = {}};
  if (ours == nullptr) {
    row.mismatch = "the model has no output of this name";
    return row;
  }
  if (ours->shape != reference.shape) {
    row.mismatch = "shape " + to_string(ours->shape) + ", expected " + to_string(reference.shape);
    return row;
  }
  double scale = 0;
  double squares = 0;
  double squared_differences = 0;
  const auto count = static_cast<std::size_t>(element_count(reference.shape));
  for (std::size_t i = 0; i < count; ++i) {
    const double expected = element(reference, i);
    const double found = element(*ours, i);
    const double difference = found == expected ? 0.0 : std::abs(found - expected);  // infinities may be right
    // A NaN on either side is a difference, whatever it is compared with.
    row.largest_absolute = std::isnan(difference) ? INFINITY : std::max(row.largest_absolute, difference);
    if (!std::isinf(expected)) {
      scale = std::max(scale, std::abs(expected));
      squares += expected * expected;
    }
    squared_differences += difference * difference;
  }
  row.magnitude = scale;
  row.rms_relative = squares > 0 ? std::sqrt(squared_differences / squares) : row.largest_absolute;
  row.largest_relative = scale > 0 ? row.largest_absolute / scale : row.largest_absolute;
  return row;
}

double allowed_difference(const OutputDifference& output, double tolerance) {
  const double most = output.name.ends_with(".boxes") ? 100.0 : std::numeric_limits<double>::infinity();
  return tolerance * std::clamp(output.magnitude, 1.0, most);
}

std::vector<OutputDifference> compare_outputs(const Graph& graph, const std::vector<HostTensor>& reference,
                                              const std::vector<HostTensor>& outputs) {
  std::vector<OutputDifference> rows;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    rows.push_back(difference_of(graph.outputs[i].name, reference[i], i < outputs.size() ? &outputs[i] : nullptr));
  }
  return rows;
}

ModelOptions options_for(const NamedTensors& inputs, ModelOptions options) {
  bool has_mask = false;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> images;  // "0.10" comes after "0.9"
  for (const auto& [name, tensor] : inputs) {
    const Shape& shape = tensor.shape;
    options.inputs.push_back({name, shape, tensor.dtype});
    if (name == "input_ids" && shape.size() == 2) {
      options.batch = shape[0];
      options.sequence = shape[1];
      options.sequence_from_inputs = true;
    } else if (name == "attention_mask" || name == "pixel_mask") {
      options.padding = padding_of(tensor);
      if (name == "pixel_mask") options.pixel_mask = tensor;
      has_mask = true;
    } else if (shape.size() == 4) {
      options.batch = shape[0];
      options.height = shape[2];
      options.width = shape[3];
    } else if (shape.size() == 3 && is_listed_image(name)) {
      images[std::atoll(name.substr(name.rfind('.') + 1).c_str())] = {shape[1], shape[2]};
    } else if (shape.size() == 3 && is_floating(tensor.dtype)) {
      options.batch = shape[0];
    } else {
      options.extra_inputs.push_back(name);
    }
  }
  for (const auto& [number, size] : images) options.image_sizes.push_back(size);
  if (!images.empty()) options.batch = static_cast<std::int64_t>(images.size());
  if (!has_mask) options.padding = Padding::kNone;
  return options;
}

Attention attention_of(const Model& model, Attention asked) {
  if (asked != Attention::kDefault || model.file != nullptr) return asked;
  const std::string named = model.config.text("_attn_implementation", "");
  if (named == "eager") return Attention::kEager;
  return named == "sdpa" ? Attention::kSdpa : asked;
}

DType dtype_of_folder(const Model& model) {
  if (model.file != nullptr || model.folder.empty()) return DType::kFloat32;
  const std::string named = model.config.text("dtype", model.config.text("torch_dtype", "float32"));
  if (const std::optional<DType> dtype = parse_dtype(named)) return *dtype;
  model.config.fail("dtype", "is no type that is known: " + named);
}

std::vector<OutputDifference> verify_folder(const std::filesystem::path& path, Flow& flow, const RunOptions& run,
                                            ModelOptions options) {
  const Reference reference = find_reference(path);
  const Model model = find_model(reference.model.string());
  const DataBatch inputs = read_inputs(model, reference.inputs, options);
  const NamedTensors references = weights::read_safetensors(reference.outputs);
  if (references.empty()) {
    throw Error(ErrorKind::kBadInput, reference.outputs.string() + " holds no tensor to compare with");
  }
  options.attention = attention_of(model, options.attention);
  options.device = run.device.kind;
  if (options.quantize.scheme != QuantizeScheme::kNone) options.dtype = dtype_of_folder(model);
  options = model.file ? options_for_file(model, inputs.tensors, options) : options_for(inputs.tensors, options);
  const Graph graph = build_graph(model, options, run.place);

  // A folder without a checkpoint is an error here.
  const std::string folder = model.file != nullptr ? "" : path.string();
  const PreparedWeights bound = prepare_weights(model, graph, folder);
  std::vector<HostTensor> ordered;
  for (const Input& input : graph.inputs) {
    const HostTensor* tensor = find_tensor(inputs.tensors, input.name);
    if (tensor == nullptr) throw Error(ErrorKind::kBadInput, "inputs.safetensors lacks '" + input.name + "'");
    // Originals take masks of truth values, too.
    const bool truth = tensor->dtype == DType::kBool && graph.values[input.value].type.dtype == DType::kInt64;
    ordered.push_back(truth ? in_dtype(input.name, *tensor, DType::kInt64) : *tensor);
  }
  NamedTensors outputs = outputs_of(flow, graph, bound.tensors, ordered, run);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : references) names.push_back(name);
  rename_by_position(outputs, names);
  outputs = in_reference_order(std::move(outputs), references);

  std::vector<OutputDifference> rows;
  for (const auto& [name, tensor] : references) rows.push_back(difference_of(name, tensor, find_tensor(outputs, name)));
  return rows;
}

std::vector<OutputDifference> compare_flows(const Model& model, const ModelOptions& options, Flow& flow,
                                            Flow& reference, const RunOptions& run) {
  ModelOptions built_for = options;
  built_for.device = run.device.kind;
  const auto outputs_by = [&](Flow& runs, const RunOptions& how) {
    const Graph graph = build_graph(model, built_for, how.place);
    const PreparedWeights weights = prepare_weights(model, graph, "", how.seed);
    const PreparedInputs inputs = prepare_inputs(graph, nullptr, how.seed);
    return outputs_of(runs, graph, weights.tensors, inputs.tensors, how);
  };
  RunOptions alone = run;  // one rank's outputs are what several are held against
  alone.place = {};
  const NamedTensors expected = outputs_by(reference, alone);
  const NamedTensors outputs = in_reference_order(outputs_by(flow, run), expected);
  std::vector<OutputDifference> rows;
  for (const auto& [name, tensor] : expected) rows.push_back(difference_of(name, tensor, find_tensor(outputs, name)));
  return rows;
}

}  // namespace nongemm
