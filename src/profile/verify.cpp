#include "profile/verify.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/half.h"
#include "profile/detection_order.h"
#include "profile/prepare.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

const HostTensor* find(const NamedTensors& tensors, std::string_view name) {
  for (const auto& [candidate, tensor] : tensors) {
    if (candidate == name) return &tensor;
  }
  return nullptr;
}

double element(const HostTensor& tensor, std::size_t i) {
  switch (tensor.dtype) {
    case DType::kFloat32:
      return tensor.as<float>()[i];
    case DType::kFloat64:
      return tensor.as<double>()[i];
    case DType::kInt64:
      return static_cast<double>(tensor.as<std::int64_t>()[i]);
    case DType::kInt32:
      return tensor.as<std::int32_t>()[i];
    case DType::kBool:
    case DType::kUInt8:
      return tensor.as<std::uint8_t>()[i];
    case DType::kFloat16:
      return half_to_float(tensor.as<std::uint16_t>()[i]);
    case DType::kBFloat16:
      return bfloat16_to_float(tensor.as<std::uint16_t>()[i]);
    default:
      throw Error(ErrorKind::kUnsupported, "references of dtype " + std::string(name_of(tensor.dtype)));
  }
}

OutputDifference compare(const std::string& name, const HostTensor& reference, const HostTensor* ours) {
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
  const auto count = static_cast<std::size_t>(element_count(reference.shape));
  for (std::size_t i = 0; i < count; ++i) {
    const double expected = element(reference, i);
    const double difference = std::abs(element(*ours, i) - expected);
    // A NaN on either side is a difference, whatever it is compared with.
    row.largest_absolute = std::isnan(difference) ? INFINITY : std::max(row.largest_absolute, difference);
    scale = std::max(scale, std::abs(expected));
  }
  row.largest_relative = scale > 0 ? row.largest_absolute / scale : row.largest_absolute;
  return row;
}

Padding padding_of(const HostTensor& mask) {
  const auto count = static_cast<std::size_t>(element_count(mask.shape));
  for (std::size_t i = 0; i < count; ++i) {
    if (element(mask, i) == 0.0) return Padding::kPadded;
  }
  return Padding::kFull;
}

}  // namespace

double allowed_difference(const std::string& output, double tolerance) {
  return output.ends_with(".boxes") ? 100.0 * tolerance : tolerance;
}

std::vector<OutputDifference> compare_outputs(const Graph& graph, const std::vector<HostTensor>& reference,
                                              const std::vector<HostTensor>& outputs) {
  std::vector<OutputDifference> rows;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    rows.push_back(compare(graph.outputs[i].name, reference[i], i < outputs.size() ? &outputs[i] : nullptr));
  }
  return rows;
}

ModelOptions options_for(const NamedTensors& inputs, ModelOptions options) {
  bool has_mask = false;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> images;  // "0.10" comes after "0.9"
  for (const auto& [name, tensor] : inputs) {
    const Shape& shape = tensor.shape;
    if (name == "input_ids" && shape.size() == 2) {
      options.batch = shape[0];
      options.sequence = shape[1];
      options.sequence_from_inputs = true;
    } else if (name == "attention_mask" || name == "pixel_mask") {
      options.padding = padding_of(tensor);
      has_mask = true;
    } else if (shape.size() == 4) {
      options.batch = shape[0];
      options.height = shape[2];
      options.width = shape[3];
    } else if (shape.size() == 3 && is_floating(tensor.dtype)) {  // one image of a list
      images[std::atoll(name.substr(name.rfind('.') + 1).c_str())] = {shape[1], shape[2]};
    } else {
      options.extra_inputs.push_back(name);
    }
  }
  for (const auto& [number, size] : images) options.image_sizes.push_back(size);
  if (!images.empty()) options.batch = static_cast<std::int64_t>(images.size());
  if (!has_mask) options.padding = Padding::kNone;
  return options;
}

std::vector<OutputDifference> verify_folder(const std::filesystem::path& folder, Flow& flow, const RunOptions& run,
                                            ModelOptions options) {
  const Model model = find_model(folder.string());
  const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
  const NamedTensors references = weights::read_safetensors(folder / "outputs.safetensors");
  if (options.attention == Attention::kDefault) {
    const std::string named = model.config.text("_attn_implementation", "");
    if (named == "eager") options.attention = Attention::kEager;
    if (named == "sdpa") options.attention = Attention::kSdpa;
  }
  options.device = run.device;
  const Graph graph = build_graph(model, options_for(inputs, options));

  const PreparedWeights bound = prepare_weights(model, graph, {.path = folder.string(), .seed = 0});
  std::vector<HostTensor> ordered;
  for (const Input& input : graph.inputs) {
    const HostTensor* tensor = find(inputs, input.name);
    if (tensor == nullptr) throw Error(ErrorKind::kBadInput, "inputs.safetensors lacks '" + input.name + "'");
    ordered.push_back(*tensor);
  }
  const std::unique_ptr<Session> session = flow.prepare(graph, bound.tensors, run);
  session->set_inputs(ordered);
  session->run();
  NamedTensors outputs;
  for (const HostTensor& tensor : session->outputs()) {
    outputs.emplace_back(graph.outputs[outputs.size()].name, tensor);
  }
  outputs = in_reference_order(std::move(outputs), references);

  std::vector<OutputDifference> rows;
  for (const auto& [name, reference] : references) rows.push_back(compare(name, reference, find(outputs, name)));
  return rows;
}

}  // namespace nongemm
